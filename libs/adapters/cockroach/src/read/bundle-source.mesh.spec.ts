import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { ManualClock } from '@perdure/clock';
import { BUNDLE_RETIRE_AFTER_MS } from '@perdure/ingestion';
import { openTestDatabase, type TestDatabase } from '../testing/test-database.js';
import { BUNDLE_LIMITS } from './bundle-limits.js';
import { CockroachBundleSource } from './bundle-source.js';
import { CockroachBundles } from './bundles.js';
import { CockroachRunReader } from './run-reader.js';
import { CockroachStackMapper } from './stack-mapper.js';

/** Column 1 of line 1 is `shop.ts`, line 1. */
const MAP = JSON.stringify({ version: 3, sources: ['shop.ts'], names: [], mappings: 'AAAA' });
const FAILURE = { type: 'Error', message: 'no', stack: 'Error: no\n    at order (bundle.js:1:1)' };

describe('what a process keeps of the deployed bundles', () => {
  let database: TestDatabase;
  let bundles: CockroachBundles;
  const sent: string[] = [];
  const clock = new ManualClock();
  const inspect = async (code: string): Promise<{ readonly hash: string; readonly workflows: readonly string[] }> => ({ hash: code.slice(0, 1), workflows: ['one'] });
  const countOf = (statement: string): number => sent.filter((name) => name === statement).length;

  beforeEach(async () => {
    database = await openTestDatabase(process.env['PERDURE_TEST_POSTGRES']);
    sent.length = 0;
    bundles = new CockroachBundles(database.pool, { inspect, clock, reader: new CockroachRunReader(database.pool) });
    clock.advanceTo(Math.max(clock.now(), 2 * BUNDLE_RETIRE_AFTER_MS));
  });
  afterEach(() => database.close());
  const source = (codeBytesMax?: number): CockroachBundleSource =>
    new CockroachBundleSource(database.open({ onStatement: ({ name }) => name !== undefined && sent.push(name) }), { clock, ...(codeBytesMax === undefined ? {} : { codeBytesMax }) });

  it('is the code, read once, and whether it is there, asked once a second', async () => {
    await bundles.deploy('t', { name: 'x', code: 'a' });
    const kept = source();
    for (let time = 0; time < 5; time++) expect(await kept.find('t', 'a')).toMatchObject({ code: 'a' });
    clock.advanceTo(clock.now() + BUNDLE_LIMITS.knownForMs);
    await kept.find('t', 'a');
    expect([countOf('view_bundle_code'), countOf('view_bundle_is_there')]).toEqual([1, 2]);
  });

  it('is so many bytes of code at most', async () => {
    for (const letter of ['a', 'b', 'c']) await bundles.deploy('t', { name: 'x', code: letter.repeat(40) });
    const kept = source(100);
    for (const letter of ['a', 'b', 'c', 'b', 'c', 'a']) expect(await kept.find('t', letter)).toMatchObject({ code: letter.repeat(40) });
    expect(countOf('view_bundle_code')).toBe(4);
  });

  it('has no bundle that was retired elsewhere for longer than a second', async () => {
    for (const code of ['a', 'b']) await bundles.deploy('t', { name: 'x', code });
    const kept = source();
    await kept.find('t', 'a');
    await kept.find('t', 'a');
    await bundles.retire('t', 'a');
    clock.advanceTo(clock.now() + BUNDLE_LIMITS.knownForMs);
    expect(await kept.find('t', 'a')).toBeUndefined();
    await bundles.deploy('t', { name: 'x', code: 'a' });
    expect(await kept.find('t', 'a')).toMatchObject({ code: 'a' });
  });

  it('is a default, asked once a second', async () => {
    await bundles.deploy('t', { name: 'x', code: 'a' });
    const kept = source();
    for (let time = 0; time < 5; time++) expect(await kept.defaultFor('t', 'one')).toBe('a');
    await bundles.deploy('t', { name: 'x', code: 'b' });
    clock.advanceTo(clock.now() + BUNDLE_LIMITS.knownForMs);
    expect(await kept.defaultFor('t', 'one')).toBe('b');
    expect(countOf('view_bundle_default')).toBe(2);
  });

  it('is a source map, read once; a bundle without one, or with none that is one, leaves a failure as it is', async () => {
    await bundles.deploy('t', { name: 'x', code: 'a', sourceMap: MAP });
    await bundles.deploy('t', { name: 'x', code: 'b' });
    await bundles.deploy('t', { name: 'x', code: 'c', sourceMap: 'none' });
    const stacks = new CockroachStackMapper(source());
    for (let time = 0; time < 2; time++) {
      expect(await stacks.map('t', 'a', FAILURE)).toEqual({ ...FAILURE, stack: 'Error: no\n    at order (shop.ts:1:1)' });
      for (const plain of ['b', 'c', 'unknown']) expect(await stacks.map('t', plain, FAILURE)).toEqual(FAILURE);
    }
    expect(countOf('view_source_map')).toBe(4);
  });

  it.each([['code', { code: 'a\u0000' }], ['name', { code: 'a', name: 'x\ud800' }], ['sourceMap', { code: 'a', sourceMap: '\u0000' }]])('is nothing of a bundle whose %s cannot be kept as it is', async (what, odd) => {
    await expect(bundles.deploy('t', { name: 'x', ...odd })).rejects.toMatchObject({ code: 'bundle-invalid', message: expect.stringContaining(what) });
    expect(await bundles.list('t')).toEqual([]);
  });
});
