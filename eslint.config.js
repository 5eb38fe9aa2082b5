import nx from '@nx/eslint-plugin';
import tseslint from 'typescript-eslint';

const only = (tag, ...allowed) => ({ sourceTag: tag, onlyDependOnLibsWithTags: allowed });

/** Who may depend on whom, on three axes. There is no rule for "*", so a package without tags fails. */
const depConstraints = [
  only('type:contract', 'type:contract'),
  only('type:util', 'type:util', 'type:contract'),
  only('type:engine', 'type:engine', 'type:util', 'type:contract', 'type:domain', 'type:adapter'),
  only('type:domain', 'type:domain', 'type:engine', 'type:util', 'type:contract'),
  only('type:feature', 'type:feature', 'type:domain', 'type:util', 'type:contract'),
  only('type:adapter', 'type:domain', 'type:engine', 'type:util', 'type:contract'),
  only('type:sdk', 'type:contract', 'type:util', 'type:engine'),
  only('type:testing', 'type:testing', 'type:domain', 'type:engine', 'type:adapter', 'type:sdk', 'type:util', 'type:contract'),
  only('type:app', 'type:app', 'type:feature', 'type:domain', 'type:adapter', 'type:engine', 'type:sdk', 'type:testing', 'type:util', 'type:contract'),
  only('type:tool', 'type:tool', 'type:contract', 'type:util'),
  only('runtime:any', 'runtime:any', 'runtime:node'),
  only('runtime:node', 'runtime:any', 'runtime:node'),
];

const banned = {
  clock: ['Date.now', 'new Date', 'Math.random'].join(', '),
};

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
      'no-restricted-syntax': [
        'error',
        { selector: 'TSEnumDeclaration', message: 'String unions, no enums.' },
        { selector: 'ExportDefaultDeclaration', message: 'Named exports only.' },
        { selector: "CallExpression[callee.object.name='Date'][callee.property.name='now']", message: `Time comes from Clock (${banned.clock}).` },
        { selector: "NewExpression[callee.name='Date'][arguments.length=0]", message: 'Time comes from Clock.' },
        { selector: "CallExpression[callee.object.name='Math'][callee.property.name='random']", message: 'Randomness is injected.' },
        { selector: "MemberExpression[object.name='process'][property.name='env']", message: 'The environment is read in config.ts alone.' },
      ],
    },
  },
  // The places where time, randomness and the environment come from.
  { files: ['**/system-clock.ts', '**/config.ts', '**/main.ts', '**/*.spec.ts', '**/e2e/**', 'tools/**', 'libs/sdk/src/{client,node,testing}/**'], rules: { 'no-restricted-syntax': ['error', { selector: 'TSEnumDeclaration', message: 'String unions, no enums.' }] } },
  // A suite is one function; a Nest handler's parameters are its injected parts.
  { files: ['**/*.spec.ts', '**/testing/**'], rules: { 'max-lines-per-function': 'off', '@typescript-eslint/no-empty-function': 'off' } },
  { files: ['**/*-controller.ts', '**/*.spec.ts'], rules: { 'max-params': 'off' } },
  { files: ['**/main.ts', 'apps/cli/**', 'tools/**'], rules: { 'no-console': 'off' } },
  { files: ['libs/*/domain/**/*.ts', 'libs/engine/**/*.ts', 'libs/contract/**/*.ts'], rules: { 'no-restricted-imports': ['error', { patterns: [{ group: ['@nestjs/*', 'kafkajs', 'pg', 'ioredis', 'node:sqlite', '@aws-sdk/*', '@dapr/*', '@elastic/*'], message: 'Domain code knows neither Nest nor drivers.' }] }] } },
);
