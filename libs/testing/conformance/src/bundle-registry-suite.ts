import { createHash } from 'node:crypto';
import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import type { ManualClock } from '@perdure/clock';
import { PerdureError } from '@perdure/contract';
import type { BundleSource, RunRow } from '@perdure/history';
import { BUNDLE_RETIRE_AFTER_MS, type BundleRegistry, type InspectCode } from '@perdure/ingestion';
import { keyOf, ODD_TEXTS, runRow } from './sample-rows.js';

export interface MadeBundles {
  readonly registry: BundleRegistry;
  /** What a shard has of the same bundles. */
  readonly source: BundleSource;
  readonly clock: ManualClock;
  /** New runs, or changed ones, of shard 0. */
  write(runs: readonly RunRow[]): Promise<void>;
  close(): Promise<void>;
}

/** Bundles of the suite: `// one two` has the workflows `one` and `two`. */
export const inspectSample: InspectCode = async (code) => {
  if (!code.startsWith('// ')) throw new PerdureError('bundle-invalid', 'not a bundle');
  return { hash: hashOf(code), workflows: code.split('\n')[0]!.slice(3).split(' ') };
};

const hashOf = (code: string): string => createHash('sha256').update(code).digest('hex');

/** Longer than a process may go on with the defaults that it knows. */
const DEFAULTS_KNOWN_MS = 1_001;

/** What every adapter of the deployed bundles owes those who deploy and those who run them. */
export function bundleRegistrySuite(name: string, make: () => Promise<MadeBundles>): void {
  describe(`BundleRegistry: ${name}`, () => {
    const subject = {} as { made: MadeBundles };
    beforeEach(async () => {
      subject.made = await make();
    });
    afterEach(() => subject.made.close());
    for (const part of [deploys, sources, retires]) part(subject);
  });
}

type Subject = { readonly made: MadeBundles };

const ONE = '// one\n1';
const BOTH = '// one two\n2';

function deploys(subject: Subject): void {
  describe('deploying', () => {
    it('keeps a bundle and makes it the default of its workflows', async () => {
      const { registry, clock } = subject.made;
      const view = await registry.deploy('t', { name: ODD_TEXTS.join(), code: BOTH, sourceMap: '{}' });
      expect(view).toEqual({ hash: hashOf(BOTH), tenant: 't', name: ODD_TEXTS.join(), workflows: ['one', 'two'], bytes: Buffer.byteLength(BOTH), createdAt: clock.now(), defaultFor: ['one', 'two'], openRuns: 0, retirable: false, why: 'it is the default for one, two' });
      expect(await registry.find('t', view.hash)).toEqual(view);
      expect(await registry.list('t')).toEqual([view]);
      expect(await registry.defaultFor('t', 'two')).toBe(view.hash);
    });

    it('is a tenant\'s own business', async () => {
      const { registry, source } = subject.made;
      const { hash } = await registry.deploy('t', { name: 'x', code: ONE });
      expect(await registry.find('u', hash)).toBeUndefined();
      expect(await registry.list('u')).toEqual([]);
      expect(await registry.defaultFor('u', 'one')).toBeUndefined();
      expect(await source.find('u', hash)).toBeUndefined();
      expect(await source.defaultFor('u', 'one')).toBeUndefined();
    });

    it('of a newer bundle takes the defaults of its workflows alone', async () => {
      const { registry, clock } = subject.made;
      const old = await registry.deploy('t', { name: 'x', code: BOTH });
      clock.advanceTo(clock.now() + 10);
      const { hash } = await registry.deploy('t', { name: 'x', code: ONE });
      expect(await registry.defaultFor('t', 'one')).toBe(hash);
      expect(await registry.defaultFor('t', 'two')).toBe(old.hash);
      expect((await registry.list('t')).map((each) => [each.hash, each.defaultFor])).toEqual([[hash, ['one']], [old.hash, ['two']]]);
    });

    it('of the same code again changes the defaults alone', async () => {
      const { registry, clock } = subject.made;
      const first = await registry.deploy('t', { name: 'first', code: ONE });
      await registry.deploy('t', { name: 'x', code: BOTH });
      clock.advanceTo(clock.now() + 10);
      const again = await registry.deploy('t', { name: 'again', code: ONE });
      expect(again).toMatchObject({ hash: first.hash, name: 'first', createdAt: first.createdAt, defaultFor: ['one'] });
      expect(await registry.list('t')).toHaveLength(2);
    });

    it('of what is no bundle leaves everything as it is', async () => {
      const { registry } = subject.made;
      await expect(registry.deploy('t', { name: 'x', code: 'no' })).rejects.toMatchObject({ code: 'bundle-invalid' });
      expect(await registry.list('t')).toEqual([]);
    });
  });
}

function sources(subject: Subject): void {
  describe('a shard', () => {
    it('gets the code by its hash, the same again and again', async () => {
      const { registry, source } = subject.made;
      const { hash } = await registry.deploy('t', { name: 'x', code: BOTH, sourceMap: '{}' });
      for (let time = 0; time < 2; time++) expect(await source.find('t', hash)).toMatchObject({ hash, code: BOTH, workflows: ['one', 'two'] });
      expect(await source.find('t', hashOf(ONE))).toBeUndefined();
    });

    it('gets a bundle that was not there when it asked first', async () => {
      const { registry, source } = subject.made;
      expect(await source.find('t', hashOf(ONE))).toBeUndefined();
      await registry.deploy('t', { name: 'x', code: ONE });
      expect(await source.find('t', hashOf(ONE))).toMatchObject({ code: ONE });
    });

    it('takes a new default within a second', async () => {
      const { registry, source, clock } = subject.made;
      expect(await source.defaultFor('t', 'one')).toBeUndefined();
      const old = await registry.deploy('t', { name: 'x', code: ONE });
      clock.advanceTo(clock.now() + DEFAULTS_KNOWN_MS);
      expect(await source.defaultFor('t', 'one')).toBe(old.hash);
      const { hash } = await registry.deploy('t', { name: 'x', code: BOTH });
      clock.advanceTo(clock.now() + DEFAULTS_KNOWN_MS);
      expect(await source.defaultFor('t', 'one')).toBe(hash);
    });
  });
}

function retires(subject: Subject): void {
  describe('retiring', () => {
    /** ONE is deployed and a default no more. */
    const replaced = async (): Promise<string> => {
      const { hash } = await subject.made.registry.deploy('t', { name: 'x', code: ONE });
      await subject.made.registry.deploy('t', { name: 'x', code: BOTH });
      return hash;
    };
    const runOn = (bundle: string, more: Partial<RunRow> = {}): RunRow => runRow(1, keyOf('a'), { pin: { bundle, abi: 1, sandbox: 's1' }, startedAt: subject.made.clock.now(), ...more });

    it('is refused for a bundle that nobody deployed', async () => {
      await replaced();
      await expect(subject.made.registry.retire('t', hashOf('x'))).rejects.toMatchObject({ code: 'unknown-bundle' });
      await expect(subject.made.registry.retire('u', hashOf(ONE))).rejects.toMatchObject({ code: 'unknown-bundle' });
    });

    it('is refused for a default', async () => {
      await replaced();
      const refusal = expect.objectContaining({ code: 'bundle-in-use', message: expect.stringContaining('default for one, two') });
      await expect(subject.made.registry.retire('t', hashOf(BOTH))).rejects.toEqual(refusal);
    });

    it('waits for the runs on it, and then for its newest to be old enough; and then it is gone', async () => {
      const hash = await replaced();
      const { registry, clock, write, source } = subject.made;
      const run = runOn(hash);
      await write([run]);
      clock.advanceTo(clock.now() + BUNDLE_RETIRE_AFTER_MS - 1);
      expect(await registry.find('t', hash)).toMatchObject({ openRuns: 1, retirable: false, why: 'a run on it has not closed' });
      await expect(registry.retire('t', hash)).rejects.toMatchObject({ code: 'bundle-in-use' });
      await write([{ ...run, status: 'completed', closedAt: clock.now() }]);
      expect(await registry.find('t', hash)).toMatchObject({ openRuns: 0, retirable: false, why: expect.stringContaining('less than 8 days') });
      await expect(registry.retire('t', hash)).rejects.toMatchObject({ code: 'bundle-in-use' });
      clock.advanceTo(clock.now() + 1);
      expect(await registry.find('t', hash)).toMatchObject({ retirable: true });
      await registry.retire('t', hash);
      expect(await registry.find('t', hash)).toBeUndefined();
      expect((await registry.list('t')).map((each) => each.hash)).toEqual([hashOf(BOTH)]);
      await expect(registry.retire('t', hash)).rejects.toMatchObject({ code: 'unknown-bundle' });
      expect(await source.find('t', hash)).toBeUndefined();
    });

    it('takes away no one else\'s bundle of the same code', async () => {
      const hash = await replaced();
      const { registry } = subject.made;
      await registry.deploy('u', { name: 'x', code: ONE });
      await registry.retire('t', hash);
      expect(await registry.find('u', hash)).toMatchObject({ hash, defaultFor: ['one'] });
    });

    it('is undone by deploying the same code again', async () => {
      const hash = await replaced();
      const { registry } = subject.made;
      await registry.retire('t', hash);
      expect(await registry.deploy('t', { name: 'x', code: ONE })).toMatchObject({ hash, defaultFor: ['one'] });
    });
  });
}
