import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import type { StateStore } from '@perdure/history';
import type { Made, Make } from './made.js';
import { commitOf, inputRow, keyOf, ODD_TEXTS, runRow, transitionRow } from './sample-rows.js';

type Changes = Parameters<typeof commitOf>[1];

/** The store under test, for the parts of the suite. */
interface Subject {
  made: Made<StateStore>;
  store: StateStore;
}

const put = async ({ store }: Subject, changes: Changes): Promise<void> => store.commit(commitOf(await store.head(), changes));

/** What every adapter of history's tables owes the processor. */
export function stateStoreSuite(name: string, make: Make<StateStore>): void {
  describe(`StateStore: ${name}`, () => {
    const subject = {} as Subject;
    beforeEach(async () => {
      subject.made = await make();
      subject.store = subject.made.store;
    });
    afterEach(() => subject.made.close());

    for (const part of [commits, runs, transitions, inputs, snapshots, purges]) part(subject);
  });
}

function commits(subject: Subject): void {
  describe('a commit', () => {
    it('moves the cursor and keeps it through a restart', async () => {
      const { epoch } = await subject.store.head();
      await subject.store.commit(commitOf({ epoch, cursor: 0 }, {}, 7));
      expect(await subject.store.head()).toEqual({ epoch, cursor: 7, lastRunNumber: 0 });
      expect(await (await subject.made.reopen()).head()).toMatchObject({ cursor: 7 });
    });

    it('of a stale cursor or epoch changes nothing (I3)', async () => {
      const head = await subject.store.head();
      await put(subject, {});
      const run = { runs: [runRow(1, keyOf('a'))] };
      await expect(subject.store.commit(commitOf(head, run))).rejects.toMatchObject({ fault: 'staleOwner', code: 'not-owner' });
      await expect(subject.store.commit(commitOf({ ...(await subject.store.head()), epoch: head.epoch + 1 }, run))).rejects.toMatchObject({ fault: 'staleOwner' });
      expect(await subject.store.findRun(keyOf('a'))).toBeUndefined();
      expect((await subject.store.head()).cursor).toBe(1);
    });

    it('is all or nothing', async () => {
      await put(subject, { runs: [runRow(1, keyOf('a'))], transitions: [transitionRow(1, 1)] });
      const twice = { runs: [runRow(2, keyOf('b'))], inputs: [inputRow('b', 'i')], transitions: [transitionRow(1, 2), transitionRow(1, 1)] };
      await expect(put(subject, twice)).rejects.toMatchObject({ fault: 'contentRefused' });
      expect(await subject.store.findRun(keyOf('b'))).toBeUndefined();
      expect(await subject.store.findInput({ tenant: 't', workflowId: 'b', inputId: 'i' })).toBeUndefined();
      expect(await subject.store.transitions(1, { fromEvent: 1, limit: 9 })).toHaveLength(1);
      await put(subject, { runs: [runRow(2, keyOf('b'))], transitions: [transitionRow(1, 2)] });
      expect(await subject.store.findRun(keyOf('b'))).toMatchObject({ number: 2 });
    });
  });
}

function runs(subject: Subject): void {
  describe('runs', () => {
    it('come back as they were, and as they are now', async () => {
      const row = runRow(1, keyOf('a'), {
        memo: { note: ODD_TEXTS }, searchAttributes: { city: 'Kyiv', tags: ['x', 'y'], weight: 1.5, express: true }, trace: 'trace',
        parent: { ...keyOf('p', 'p1'), seq: 2, closePolicy: 'cancel' }, continuedFrom: 'r0', suspended: { kind: 'operator', message: 'wait' },
      });
      await put(subject, { runs: [row] });
      expect(await subject.store.findRun(keyOf('a'))).toEqual(row);
      const closed = runRow(1, keyOf('a'), { status: 'completed', closedAt: 2_000, pin: { bundle: 'b2', abi: 1, sandbox: 's1' }, result: { status: 'completed', runId: 'r1', result: ODD_TEXTS } });
      await put(subject, { runs: [closed] });
      expect(await subject.store.findRun(keyOf('a'))).toEqual(closed);
      expect(await (await subject.made.reopen()).findRun(keyOf('a'))).toEqual(closed);
    });

    it('are found by id, the newest of a workflow id without one', async () => {
      await put(subject, { runs: [runRow(1, keyOf('a', 'r1')), runRow(2, keyOf('a', 'r2')), runRow(3, keyOf('b', 'r1')), runRow(4, keyOf('a', 'r1', 'u'))] });
      expect(await subject.store.findRun({ tenant: 't', workflowId: 'a' })).toMatchObject({ number: 2 });
      expect(await subject.store.findRun(keyOf('a', 'r1'))).toMatchObject({ number: 1 });
      expect(await subject.store.findRun({ tenant: 'u', workflowId: 'a' })).toMatchObject({ number: 4 });
      expect(await subject.store.findRun(keyOf('a', 'r3'))).toBeUndefined();
      expect(await subject.store.head()).toMatchObject({ lastRunNumber: 4 });
    });

    it.each(ODD_TEXTS)('may be called %j', async (text) => {
      await put(subject, { runs: [runRow(1, { tenant: text, workflowId: text, runId: text })], inputs: [inputRow(text, text, { tenant: text })] });
      expect(await subject.store.findRun({ tenant: text, workflowId: text, runId: text })).toMatchObject({ workflowId: text });
      expect(await subject.store.findInput({ tenant: text, workflowId: text, inputId: text })).toMatchObject({ inputId: text });
    });
  });
}

function transitions(subject: Subject): void {
  describe('transitions', () => {
    it('come back whole and in order, from an event on, so many at a time', async () => {
      const three = transitionRow(1, 4, { bundle: 'b2', events: JSON.stringify([{ kind: 'timerFired', seq: 1 }, { kind: 'resumed', reason: ODD_TEXTS.join() }, { kind: 'timerFired', seq: 2 }]) });
      await put(subject, { runs: [runRow(1, keyOf('a')), runRow(2, keyOf('b'))], transitions: [transitionRow(1, 1), three, transitionRow(2, 1), transitionRow(1, 5)] });
      const all = await subject.store.transitions(1, { fromEvent: 1, limit: 10 });
      expect(all.map(({ first, events }) => [first, events.length])).toEqual([[1, 1], [2, 3], [5, 1]]);
      expect(all[1]).toEqual({ first: 2, at: three.at, bundle: 'b2', inputId: 'i4', events: JSON.parse(three.events) as unknown, digest: three.digest });
      expect((await subject.store.transitions(1, { fromEvent: 3, limit: 10 })).map(({ first }) => first)).toEqual([2, 5]);
      expect((await subject.store.transitions(1, { fromEvent: 5, limit: 10 })).map(({ first }) => first)).toEqual([5]);
      expect((await subject.store.transitions(1, { fromEvent: 1, limit: 2 })).map(({ first }) => first)).toEqual([1, 2]);
    });

    it('give their digest where one ends', async () => {
      await put(subject, { runs: [runRow(1, keyOf('a'))], transitions: [transitionRow(1, 3)] });
      expect(Buffer.from((await subject.store.findDigest(1, 3))!)).toEqual(Buffer.alloc(16, 3));
      expect(await subject.store.findDigest(1, 2)).toBeUndefined();
    });
  });
}

function inputs(subject: Subject): void {
  describe('inputs', () => {
    it('keep their first content and time, and take the newest outcome', async () => {
      const ref = { tenant: 't', workflowId: 'a', inputId: 'u' };
      await put(subject, { inputs: [inputRow('a', 'u', { content: 'first', at: 5 })] });
      const updated = { kind: 'updated', runId: 'r1', outcome: { status: 'completed', value: ODD_TEXTS } } as const;
      await put(subject, { inputs: [inputRow('a', 'u', { content: 'second', at: 9, run: 1, outcome: updated })] });
      expect(await subject.store.findInput(ref)).toEqual({ ...ref, content: 'first', at: 5, run: 1, outcome: updated });
    });
  });
}

function snapshots(subject: Subject): void {
  describe('snapshots', () => {
    it('are replaced, dropped, and none of the run', async () => {
      const snapshot = { run: 1, last: 3, digest: Buffer.alloc(16, 3), pin: { bundle: 'b1', abi: 1, sandbox: 's1' }, body: Buffer.from([0, 255, 1]) };
      await put(subject, { snapshots: [snapshot] });
      await put(subject, { snapshots: [{ ...snapshot, last: 4, body: Buffer.from([9]) }] });
      const found = await subject.store.findSnapshot(1);
      expect({ ...found, digest: Buffer.from(found!.digest), body: Buffer.from(found!.body) }).toEqual({ ...snapshot, last: 4, body: Buffer.from([9]) });
      await put(subject, { snapshotsDropped: [1] });
      expect(await subject.store.findSnapshot(1)).toBeUndefined();
    });
  });
}

function purges(subject: Subject): void {
  describe('purge', () => {
    it('removes closed runs, oldest first and so many at a time, and ids with the last run of a workflow id', async () => {
      const closed = { status: 'completed', closedAt: 100 } as const;
      await put(subject, {
        runs: [runRow(1, keyOf('a', 'r1'), closed), runRow(2, keyOf('a', 'r2')), runRow(3, keyOf('b', 'r1'), { ...closed, closedAt: 50 }), runRow(4, keyOf('c'), { ...closed, closedAt: 900 })],
        transitions: [transitionRow(1, 1), transitionRow(2, 1), transitionRow(3, 1)],
        inputs: [inputRow('a', 'i', { run: 1 }), inputRow('b', 'i', { run: 3 }), inputRow('lone', 'old', { at: 10 }), inputRow('lone', 'new', { at: 800 })],
      });
      const kept = async (): Promise<unknown> => Promise.all(['a', 'b', 'c'].map(async (id) => (await subject.store.findRun({ tenant: 't', workflowId: id }))?.number));
      expect(await subject.store.purge({ closedBeforeMs: 500, limit: 1 })).toBe(1);
      expect(await kept()).toEqual([2, undefined, 4]);
      expect(await subject.store.purge({ closedBeforeMs: 500, limit: 10 })).toBe(2);
      expect(await subject.store.purge({ closedBeforeMs: 500, limit: 10 })).toBe(0);
      expect(await subject.store.findRun(keyOf('a', 'r1'))).toBeUndefined();
      expect(await subject.store.transitions(1, { fromEvent: 1, limit: 9 })).toEqual([]);
      expect(await subject.store.transitions(2, { fromEvent: 1, limit: 9 })).toHaveLength(1);
      const ids = await Promise.all([['a', 'i'], ['b', 'i'], ['lone', 'old'], ['lone', 'new']].map(async ([workflowId, inputId]) => (await subject.store.findInput({ tenant: 't', workflowId: workflowId!, inputId: inputId! })) !== undefined));
      expect(ids).toEqual([true, false, false, true]);
    });
  });
}
