import { execFileSync } from 'node:child_process';
import { beforeAll, describe, expect, it } from '@jest/globals';

/** A line nobody should write, the file it would stand in, and the rule that must refuse it. */
const REFUSED = [
  ['libs/scheduler/domain/src/made-up.ts', "import '@nestjs/common';", '@nx/enforce-module-boundaries'],
  ['libs/adapters/sqlite/src/made-up.ts', "import '@nestjs/common';", '@nx/enforce-module-boundaries'],
  ['libs/scheduler/feature/src/made-up.ts', "import '@perdure/sqlite';", '@nx/enforce-module-boundaries'],
  ['libs/scheduler/feature/src/made-up.ts', "import '@perdure/correlation';", '@nx/enforce-module-boundaries'],
  ['libs/scheduler/domain/src/made-up.ts', "import '@perdure/scheduler-feature';", '@nx/enforce-module-boundaries'],
  ['libs/engine/src/made-up.ts', "import '@perdure/history';", '@nx/enforce-module-boundaries'],
  ['libs/engine/src/made-up.ts', "import '@perdure/sandbox';", '@nx/enforce-module-boundaries'],
  ['libs/engine/src/made-up.ts', "import '@perdure/identity';", '@nx/enforce-module-boundaries'],
  ['apps/swiftcart/src/made-up.ts', "import '@perdure/sqlite';", '@nx/enforce-module-boundaries'],
  ['libs/sdk/src/node/made-up.ts', "import '@perdure/world';", '@nx/enforce-module-boundaries'],
  ['libs/sdk/src/node/made-up.ts', "import '../../testing/src/index.js';", '@nx/enforce-module-boundaries'],
  ['libs/sdk/src/node/made-up.ts', "import '@perdure/sdk/testing';", 'no-restricted-imports'],
  ['apps/swiftcart/src/made-up.ts', "import '@perdure/sdk/testing';", 'no-restricted-imports'],
  ['libs/engine/src/made-up.ts', "import 'node:fs';", 'no-restricted-imports'],
  ['libs/contract/src/made-up.ts', "import 'node:fs';", 'no-restricted-imports'],
  ['libs/scheduler/domain/src/made-up.ts', "import 'node:sqlite';", 'no-restricted-imports'],
  ['libs/embedded/src/made-up.ts', 'export const at = Date.now();', 'no-restricted-syntax'],
  ['libs/embedded/src/made-up.ts', 'export const at = new Date();', 'no-restricted-syntax'],
  ['libs/embedded/src/made-up.ts', 'export const draw = Math.random();', 'no-restricted-syntax'],
  ['libs/embedded/src/made-up.ts', 'export const path = process.env.PATH;', 'no-restricted-syntax'],
  ['libs/embedded/src/made-up.ts', 'export default 1;', 'no-restricted-syntax'],
  ['libs/embedded/src/made-up.ts', 'export enum Colour { Red }', 'no-restricted-syntax'],
  ['libs/embedded/src/made-up.ts', 'export const f = (x: any): unknown => x;', '@typescript-eslint/no-explicit-any'],
  ['libs/embedded/src/made-up.ts', 'export const f = (a: 1, b: 1, c: 1, d: 1): number => a + b + c + d;', 'max-params'],
  ['libs/embedded/src/made-up.ts', `export function f(): void {\n${'  f();\n'.repeat(70)}}`, 'max-lines-per-function'],
] as const;

const TAKEN = [
  ['apps/swiftcart/src/made-up.ts', "import '@perdure/bundler'; import '@perdure/sdk/client';"],
  ['apps/swiftcart/src/made-up.spec.ts', "import '@perdure/sdk/testing';"],
  ['libs/scheduler/feature/src/made-up.ts', "import '@nestjs/common'; import '@perdure/scheduler';"],
  ['apps/standalone/src/made-up.ts', "import '@perdure/sqlite'; import '@perdure/scheduler-feature';"],
  ['apps/standalone/src/config.ts', 'export const port = process.env.PORT;'],
] as const;

/** ESLint and Nx are loaded by plain Node: jest's module registry is not theirs. */
const LINT = `
  import { ESLint } from 'eslint';
  const texts = JSON.parse(process.argv[1]);
  const eslint = new ESLint();
  const results = [];
  for (const [filePath, text] of texts) results.push((await eslint.lintText(text, { filePath }))[0].messages.map(({ ruleId, message }) => ruleId ?? message));
  console.log(JSON.stringify(results));
`;

describe('lint', () => {
  let rules: string[][];

  beforeAll(() => {
    const root = execFileSync('git', ['rev-parse', '--show-toplevel'], { encoding: 'utf8' }).trim();
    const node = (...args: string[]): string => execFileSync(process.execPath, args, { cwd: root, encoding: 'utf8', env: { ...process.env, NX_DAEMON: 'false', NODE_OPTIONS: '' } });
    node('node_modules/nx/dist/bin/nx.js', 'show', 'projects'); // the graph that the boundary rule reads
    const texts = [...REFUSED, ...TAKEN].map(([path, text]) => [path, text]);
    rules = JSON.parse(node('--input-type=module', '-e', LINT, JSON.stringify(texts))) as string[][];
  }, 120_000);

  it.each(REFUSED.map((each, index) => [...each, index] as const))('refuses in %s: %j', (_path, _text, rule, index) => {
    expect(rules[index]).toContain(rule);
  });

  it.each(TAKEN.map((each, index) => [...each, REFUSED.length + index] as const))('takes in %s: %j', (_path, _text, index) => {
    expect(rules[index]).toEqual([]);
  });
});
