import nx from '@nx/eslint-plugin';
import tseslint from 'typescript-eslint';

/** `never` names packages of others that the source may not import either. */
const only = (tag, allowed, never = []) => ({ sourceTag: tag, onlyDependOnLibsWithTags: allowed, bannedExternalImports: never });

const NEST = ['@nestjs/*'];
const DRIVERS = ['better-sqlite3', 'kafkajs', '@platformatic/kafka', 'pg', 'ioredis', 'redis', 'etcd3', '@aws-sdk/*', '@azure/*', '@dapr/*', '@elastic/*'];
const SERVICES = ['ingestion', 'history', 'scheduler', 'correlation', 'compensation'];

/** Who may depend on whom, on three axes. There is no rule for "*", so a package without tags fails. */
const depConstraints = [
  only('type:contract', ['type:contract'], ['*']),
  only('type:util', ['type:util', 'type:contract'], DRIVERS),
  only('type:engine', ['type:engine', 'type:util', 'type:contract', 'type:domain', 'type:adapter'], NEST),
  only('type:domain', ['type:domain', 'type:engine', 'type:util', 'type:contract'], [...NEST, 'fastify', ...DRIVERS]),
  only('type:feature', ['type:feature', 'type:domain', 'type:util', 'type:contract'], DRIVERS),
  only('type:adapter', ['type:domain', 'type:engine', 'type:util', 'type:contract'], [...NEST, 'fastify']),
  only('type:sdk', ['type:contract', 'type:util', 'type:engine'], [...NEST, ...DRIVERS]),
  only('type:testing', ['type:testing', 'type:domain', 'type:engine', 'type:adapter', 'type:sdk', 'type:util', 'type:contract']),
  only('type:app', ['type:app', 'type:feature', 'type:domain', 'type:adapter', 'type:engine', 'type:sdk', 'type:testing', 'type:util', 'type:contract']),
  only('type:tool', ['type:tool', 'type:contract', 'type:util']),

  // A service knows no other service: they meet in the contract, and an app or `embedded` puts them together.
  ...SERVICES.map((service) => only(`scope:${service}`, [`scope:${service}`, 'scope:engine', 'scope:http', 'type:util', 'type:contract', 'type:testing'])),
  only('scope:engine', ['scope:engine', 'type:util', 'type:contract']),
  // Samples see what a user sees: the SDK, and the bundler that deploys their code.
  ...['swiftcart', 'issue-tracker'].map((sample) => only(`scope:${sample}`, [`scope:${sample}`, 'scope:sdk', 'scope:bundler', 'type:util', 'type:contract', 'type:testing'])),

  // What runs anywhere needs nothing of Node, nor by way of another package (tidy's `runtime` rule sees to Node's own modules).
  only('runtime:any', ['runtime:any']),
  only('runtime:sandbox', ['runtime:sandbox', 'runtime:any']),
  only('runtime:node', ['runtime:any', 'runtime:node']),
];

const banned = {
  enums: { selector: 'TSEnumDeclaration', message: 'String unions, no enums.' },
  namespaces: { selector: 'TSModuleDeclaration[declare!=true]', message: 'Modules, no namespaces.' },
  parameterProperties: { selector: 'TSParameterProperty', message: 'Declare the field; no parameter properties.' },
  defaultExports: { selector: 'ExportDefaultDeclaration', message: 'Named exports only.' },
  now: { selector: "CallExpression[callee.object.name='Date'][callee.property.name='now']", message: 'Time comes from Clock.' },
  newDate: { selector: "NewExpression[callee.name='Date'][arguments.length=0]", message: 'Time comes from Clock.' },
  random: { selector: "CallExpression[callee.object.name='Math'][callee.property.name='random']", message: 'Randomness is injected.' },
  env: { selector: "MemberExpression[object.name='process'][property.name='env']", message: 'The environment is read in config.ts alone.' },
};
const restrictSyntax = (...allowed) => ({ 'no-restricted-syntax': ['error', ...Object.entries(banned).filter(([name]) => !allowed.includes(name)).map(([, rule]) => rule)] });
const restrictImports = (group, message) => ({ 'no-restricted-imports': ['error', { patterns: [{ group, message }] }] });

export default tseslint.config(
  { ignores: ['**/dist/**', '**/node_modules/**', '**/.nx/**', '**/testdata/**', '**/fixtures/**'] },
  ...tseslint.configs.strict,
  {
    files: ['**/*.ts'],
    plugins: { '@nx': nx },
    rules: {
      '@nx/enforce-module-boundaries': ['error', { enforceBuildableLibDependency: false, allow: [], depConstraints }],
      '@typescript-eslint/no-non-null-assertion': 'off',
      '@typescript-eslint/no-extraneous-class': 'off',
      '@typescript-eslint/no-invalid-void-type': 'off',
      '@typescript-eslint/no-dynamic-delete': 'off',
      '@typescript-eslint/no-unused-vars': ['error', { argsIgnorePattern: '^_', varsIgnorePattern: '^_' }],
      'max-lines-per-function': ['error', { max: 70, skipBlankLines: true, skipComments: true }],
      'max-params': ['error', 3],
      'no-console': 'error',
      eqeqeq: 'error',
      ...restrictSyntax(),
    },
  },
  // The places where time, randomness and the environment come from.
  { files: ['**/system-clock.ts', '**/config.ts', '**/main.ts', '**/*.spec.ts', '**/e2e/**/*.ts', 'tools/**/*.ts', 'libs/sdk/src/{client,node,testing}/**/*.ts'], rules: restrictSyntax('now', 'newDate', 'random', 'env') },
  // Outside the workspaces, so not in Nx's graph: it depends on what a user installs, and on Restate.
  { files: ['tools/bench/**'], rules: { '@nx/enforce-module-boundaries': 'off' } },
  // A suite is one function; a Nest handler's parameters are its injected parts.
  { files: ['**/*.spec.ts', '**/testing/**'], rules: { 'max-lines-per-function': 'off', '@typescript-eslint/no-empty-function': 'off' } },
  { files: ['**/*-controller.ts', '**/*.spec.ts'], rules: { 'max-params': 'off' } },
  { files: ['**/main.ts', 'apps/cli/**', 'tools/**'], rules: { 'no-console': 'off' } },
  { files: ['**/*.ts'], ignores: ['**/*.spec.ts', '**/{e2e,testing}/**'], rules: restrictImports(['@perdure/sdk/testing', '@perdure/sdk-testing', '@perdure/world'], 'A test world holds the whole engine: for tests alone.') },
  { files: ['libs/engine/src/**/*.ts', 'libs/contract/src/**/*.ts'], ignores: ['**/*.spec.ts'], rules: restrictImports(['node:*'], 'Pure: nothing of Node (I5).') },
  { files: ['libs/*/domain/src/**/*.ts'], ignores: ['**/*.spec.ts'], rules: restrictImports(['node:sqlite', 'node:fs', 'node:fs/*', 'node:http', 'node:net', 'node:worker_threads'], 'Domain code reaches files, sockets and threads through its ports.') },
);
