import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { ManualClock } from '@perdure/clock';
import type { BundleUse } from '@perdure/history';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { MetaFile, SqliteBundleSource } from './bundle-file.js';
import { SqliteBundles } from './sqlite-bundles.js';

describe('Retiring a bundle while a run starts on it', () => {
  const clock = new ManualClock();
  let folder: string;
  let meta: MetaFile;
  /** As a shard's thread has it. */
  let theirs: MetaFile;
  let source: SqliteBundleSource;
  let bundles: SqliteBundles;
  let uses: BundleUse[];
  /** What the shard commits, of what it had found, before it forgets. */
  let inHand: () => Promise<void>;

  beforeEach(async () => {
    folder = await mkdtemp(join(tmpdir(), 'perdure-bundles-'));
    [meta, theirs] = [new MetaFile(join(folder, 'meta.db')), new MetaFile(join(folder, 'meta.db'))];
    source = new SqliteBundleSource(theirs);
    uses = [];
    inHand = async () => undefined;
    const forget = async (tenant: string, hash: string): Promise<void> => {
      await inHand();
      source.forget(tenant, hash);
    };
    bundles = new SqliteBundles({ meta, clock, reader: { bundleUse: () => uses }, inspect: async (code) => ({ hash: code, workflows: ['order'] }), forget });
    for (const code of ['old', 'new']) await bundles.deploy('acme', { name: code, code });
  });
  afterEach(async () => {
    meta.close();
    theirs.close();
    await rm(folder, { recursive: true });
  });

  it('leaves it to the run that had found it', async () => {
    inHand = async () => void uses.push({ bundle: 'old', open: 1, newest: clock.now() });
    await expect(bundles.retire('acme', 'old')).rejects.toMatchObject({ code: 'bundle-in-use' });
    expect([await source.find('acme', 'old'), await bundles.find('acme', 'old')]).toMatchObject([{ code: 'old' }, { openRuns: 1, retirable: false }]);
  });

  it('is found by none that comes later, though a shard had it at hand', async () => {
    expect(await source.find('acme', 'old')).toMatchObject({ code: 'old' });
    let meanwhile: unknown = 'not asked';
    inHand = async () => void (meanwhile = await new SqliteBundleSource(theirs).find('acme', 'old'));
    await bundles.retire('acme', 'old');
    expect([meanwhile, await source.find('acme', 'old'), await bundles.find('acme', 'old')]).toEqual([undefined, undefined, undefined]);
  });

  it('leaves it where a shard does not answer, and to a new deployment', async () => {
    inHand = () => Promise.reject(new Error('the shard is gone'));
    await expect(bundles.retire('acme', 'old')).rejects.toThrow('the shard is gone');
    expect(await source.find('acme', 'old')).toBeDefined();
    inHand = async () => void (await bundles.deploy('acme', { name: 'again', code: 'old' }));
    await expect(bundles.retire('acme', 'old')).rejects.toMatchObject({ code: 'bundle-in-use' });
    expect(await bundles.defaultFor('acme', 'order')).toBe('old');
  });

  it('is undone where the process dies in the midst of it', async () => {
    inHand = () => new Promise(() => undefined);
    void bundles.retire('acme', 'old');
    await new Promise((resolve) => setImmediate(resolve));
    expect(await source.find('acme', 'old')).toBeUndefined();
    const next = new MetaFile(join(folder, 'meta.db'));
    next.undoRetirements();
    expect(next.list('acme').map(({ hash }) => hash).sort()).toEqual(['new', 'old']);
    next.close();
  });
});
