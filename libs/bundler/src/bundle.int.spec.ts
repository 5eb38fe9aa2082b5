import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { bundle } from './bundle.js';
import { watchBundle, type WatchResult } from './watch.js';

const IMPORT = `import { sleep } from '@perdure/sdk/workflow';\n`;
const ORDER = `${IMPORT}export async function order(): Promise<void> { await sleep('1s'); }\n`;

describe('bundle', () => {
  let root: string;
  let count = 0;
  beforeAll(async () => {
    root = await mkdtemp(join(tmpdir(), 'bundle-'));
  });
  afterAll(() => rm(root, { recursive: true }));

  /** Writes files into a new folder and names the first. */
  const write = async (files: Record<string, string>): Promise<string> => {
    const folder = join(root, `project-${++count}`);
    for (const [name, text] of Object.entries(files)) {
      await mkdir(dirname(join(folder, name)), { recursive: true });
      await writeFile(join(folder, name), text);
    }
    return join(folder, Object.keys(files)[0] ?? '');
  };
  const messageOf = async (files: Record<string, string>): Promise<string> => {
    const entry = await write(files);
    const error: unknown = await bundle({ entry }).catch((thrown: unknown) => thrown);
    expect(error).toMatchObject({ name: 'PerdureError', code: 'bundle-invalid' });
    return (error as Error).message;
  };

  it('makes one script that tells what it holds', async () => {
    const entry = await write({ 'order.workflow.ts': `import { query, signal, update } from '@perdure/sdk/workflow';\nexport const go = signal('go');\nexport const stage = query('stage');\nexport const add = update('add');\n${ORDER}export const ship = async () => 1;\nexport const helper = () => 1;\n` });
    const made = await bundle({ entry });
    expect(made.manifest).toEqual({ workflows: ['order', 'ship'], signals: ['go'], queries: ['stage'], updates: ['add'], runtime: expect.any(String) });
    expect(made.workflows).toEqual(['order', 'ship']);
    expect(made.hash).toMatch(/^[0-9a-f]{64}$/);
    expect(made.code.startsWith('"use strict";')).toBe(true);
  });

  it('gives the same bytes wherever the files lie, and names no folder of the machine', async () => {
    const files = { 'src/order.workflow.ts': `import { price } from '../lib/price.js';\nimport { rate } from 'rates';\n${ORDER}export const total = async () => price * rate;\n`, 'lib/price.ts': 'export const price = 2;', 'node_modules/rates/package.json': '{"name":"rates","main":"main.js"}', 'node_modules/rates/main.js': 'exports.rate = 3;' };
    const [one, two] = [await bundle({ entry: await write(files) }), await bundle({ entry: await write({ ...files, 'deep/er/x.ts': '' }) })];
    expect(two).toEqual(one);
    for (const text of [one.code, one.sourceMap]) {
      expect(text).not.toContain(root);
      expect(text).not.toMatch(/node_modules|libs\/sdk|\.\.\/\.\./);
    }
    expect(one.code).toContain('"rates/main.js"');
    expect((JSON.parse(one.sourceMap) as { sources: string[] }).sources).toEqual(expect.arrayContaining(['order.workflow.ts', '../lib/price.ts', 'rates/main.js', '@perdure/sdk/src/workflow/runtime.ts']));
  });

  it('takes text instead of a file', async () => {
    const fromText = await bundle({ source: ORDER, resolveDir: root, name: 'order.workflow.ts' });
    expect(fromText.hash).toBe((await bundle({ entry: await write({ 'order.workflow.ts': ORDER }) })).hash);
  });

  it('keeps the names of functions when it minifies', async () => {
    const entry = await write({ 'order.workflow.ts': ORDER });
    const [plain, small] = [await bundle({ entry }), await bundle({ entry, minify: true })];
    expect(small.code.length).toBeLessThan(plain.code.length / 1.5);
    expect(small.workflows).toEqual(['order']);
  });

  it('does not mind imports of types', async () => {
    const entry = await write({
      'order.workflow.ts': `import type * as carrier from './carrier.activities.js';\nimport type { Stats } from 'node:fs';\nimport type { Client } from '@perdure/sdk/client';\nimport { activities } from '@perdure/sdk/workflow';\nconst { ship } = activities<typeof carrier>();\nexport async function order(x: Stats, c: Client) { await ship(); }`,
      'carrier.activities.ts': `import 'node:fs';\nexport async function ship() {}`,
    });
    expect((await bundle({ entry })).workflows).toEqual(['order']);
  });

  const refusals: readonly (readonly [string, Record<string, string>, string])[] = [
    ['a Node module', { 'order.workflow.ts': `import { price } from './lib/pricing.js';\n${ORDER}export const p = async () => price();`, 'lib/pricing.ts': `import { readFileSync } from 'node:fs';\nexport const price = () => readFileSync('x');` }, 'order.workflow.ts → lib/pricing.ts → node:fs: workflow code cannot use Node APIs'],
    ['a Node module in a package', { 'order.workflow.ts': `import db from 'db';\n${ORDER}export const p = async () => db;`, 'node_modules/db/package.json': '{"name":"db","main":"lib/a.js"}', 'node_modules/db/lib/a.js': `module.exports = require('./b.js');`, 'node_modules/db/lib/b.js': `module.exports = require('net');` }, 'order.workflow.ts → db → net: workflow code cannot use Node APIs'],
    ['a Node module loaded later', { 'order.workflow.ts': `${ORDER}export const p = async () => import('fs/promises');` }, 'order.workflow.ts → fs/promises'],
    ['activities by value', { 'order.workflow.ts': `import { ship } from './carrier.activities.js';\n${ORDER}export const p = async () => ship();`, 'carrier.activities.ts': 'export const ship = async () => 1;' }, 'order.workflow.ts → ./carrier.activities.js: activities run on a worker; import their types only'],
    ['the client', { 'order.workflow.ts': `import { Client } from '@perdure/sdk/client';\n${ORDER}export const p = async () => new Client();` }, "order.workflow.ts → @perdure/sdk/client: this part of the SDK is for workers and clients"],
    ['a file that is not there', { 'order.workflow.ts': `import './gone.js';\n${ORDER}` }, 'order.workflow.ts:1:8: Could not resolve "./gone.js"'],
    ['a syntax error', { 'order.workflow.ts': `export async function order( {` }, 'order.workflow.ts:1:31: Expected identifier'],
    ['top-level await', { 'order.workflow.ts': `${ORDER}await sleep(1);` }, 'order.workflow.ts:3:1: Top-level await is not possible in workflow code'],
    ['no workflow', { 'order.workflow.ts': `export const order = () => 1;` }, 'The bundle has no workflow: it exports no async function'],
    ['a workflow without a name', { 'order.workflow.ts': `${IMPORT}export default async () => sleep(1);` }, 'A workflow needs a name: export it by name, not as the default'],
    ['a module that throws', { 'order.workflow.ts': `${ORDER}import './boom.js';`, 'boom.ts': `\n\nconst boom = (): never => { throw new RangeError('boom'); };\nboom();` }, 'The bundle does not evaluate: RangeError: boom (at boom (boom.ts:3:35))'],
    ['a module that does not end', { 'order.workflow.ts': `${ORDER}const end = Date.now() + 5; while (Date.now() < end);` }, 'The bundle does not evaluate: Error: Script execution timed out'],
  ];
  it.each(refusals)('refuses %s', async (_what, files, message) => expect(await messageOf(files)).toContain(message));

  it('bundles again when a file changes', async () => {
    const entry = await write({ 'order.workflow.ts': `import './rate.js';\n${ORDER}`, 'rate.ts': 'globalThis.rate = 1;' });
    const results: WatchResult[] = [];
    let wake = (): void => undefined;
    const next = async (): Promise<WatchResult> => {
      while (results.length === 0) await new Promise<void>((resolve) => (wake = resolve));
      return results.shift()!;
    };
    const watcher = await watchBundle(entry, (result) => {
      results.push(result);
      wake();
    });
    try {
      expect(await next()).toMatchObject({ kind: 'built', bundle: { workflows: ['order'] } });
      await writeFile(join(dirname(entry), 'rate.ts'), `import 'node:os';`);
      expect(await next()).toMatchObject({ kind: 'failed', error: { message: expect.stringContaining('order.workflow.ts → rate.ts → node:os') } });
      await writeFile(join(dirname(entry), 'rate.ts'), 'oops(');
      expect(await next()).toMatchObject({ kind: 'failed', error: { code: 'bundle-invalid', message: expect.stringContaining('rate.ts:1:') } });
    } finally {
      await watcher.close();
    }
  });
});
