import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { isStoreFault, type MessageBody, type SliceCommit, type SliceStore } from '@perdure/delivery';
import type { HistoryCommit, StateStore } from '@perdure/history';
import { commitOf, inputRow, keyOf, ODD_TEXTS, runRow, transitionRow } from './sample-rows.js';

/** A shard's slice, which nobody has owned. */
export interface MadeSlice {
  readonly store: SliceStore<HistoryCommit>;
  /** As another process would open it. */
  reopen(): Promise<SliceStore<HistoryCommit>>;
  /** The rows that were committed. */
  readonly state: StateStore;
  close(): Promise<void>;
}

type Changes = Parameters<typeof commitOf>[1];
type Commit = SliceCommit<HistoryCommit>;

const NOTHING = { outbox: { put: [], confirmed: [] }, intake: { marks: [], tombstones: { put: [], dropped: [] } }, triesDropped: [] } as const;

const batch = (epoch: number, from: number, more: Partial<Commit> & { readonly changes?: Changes } = {}): Commit => {
  const { changes, ...rest } = more;
  return { epoch, cursor: { from, to: from + 1 }, rows: changes && commitOf({ epoch, cursor: from }, changes), ...NOTHING, ...rest };
};

const body = (workflowId: string): MessageBody => ({ to: 'scheduler', kind: 'dropRun', run: keyOf(workflowId) });
const faultOf = (error: unknown): string => (isStoreFault(error) ? error.fault : `no fault of a store: ${String(error)}`);
const outcomes = async (tries: readonly Promise<unknown>[]): Promise<string[]> => (await Promise.allSettled(tries)).map((each) => (each.status === 'fulfilled' ? 'done' : faultOf(each.reason)));

/** The store under test, for the parts of the suite. */
interface Subject {
  made: MadeSlice;
}

/** What every adapter of a slice's rows owes its owner (I3, I4). */
export function sliceStoreSuite(name: string, make: () => Promise<MadeSlice>): void {
  describe(`SliceStore: ${name}`, () => {
    const subject = {} as Subject;
    beforeEach(async () => {
      subject.made = await make();
    });
    afterEach(() => subject.made.close());

    for (const part of [epochs, commits, deliveries, tries, races]) part(subject);
  });
}

function epochs(subject: Subject): void {
  describe('the epoch', () => {
    it('is 0 where nobody was, and rises by one with each owner', async () => {
      const { store } = subject.made;
      expect(await store.head()).toEqual({ epoch: 0, cursor: 0, isClean: false, tried: [], outbox: [], lastNumbers: {}, marks: [], tombstones: [] });
      expect(await store.epoch()).toBe(0);
      await store.takeOver(0);
      await (await subject.made.reopen()).takeOver(1);
      expect(await store.epoch()).toBe(2);
    });

    it('is needed for a commit', async () => {
      const { store, state } = subject.made;
      await expect(store.commit(batch(1, 0, { changes: { runs: [runRow(1, keyOf('a'))] } }))).rejects.toMatchObject({ fault: 'staleOwner' });
      expect(await store.head()).toMatchObject({ epoch: 0, cursor: 0 });
      expect(await state.findRun(keyOf('a'))).toBeUndefined();
    });

    it.each([0, 2])('is not taken from %i when it is 1', async (from) => {
      const { store } = subject.made;
      await store.takeOver(0);
      await expect(store.takeOver(from)).rejects.toMatchObject({ fault: 'staleOwner', message: expect.stringContaining('epoch 1') });
      expect(await store.epoch()).toBe(1);
    });

    it('is let go of by its owner alone, until the next takes it', async () => {
      const { store } = subject.made;
      await store.takeOver(0);
      await store.release(2);
      expect((await store.head()).isClean).toBe(false);
      await store.release(1);
      expect((await (await subject.made.reopen()).head()).isClean).toBe(true);
      await store.takeOver(1);
      expect((await store.head()).isClean).toBe(false);
    });
  });
}

function commits(subject: Subject): void {
  describe('a commit', () => {
    beforeEach(() => subject.made.store.takeOver(0));

    it('moves the cursor and the log, with its rows', async () => {
      const { store, state } = subject.made;
      const log = { identity: 'log-1', offset: 7, lastId: 'log-1:6' };
      await store.commit(batch(1, 0, { log, changes: { runs: [runRow(1, keyOf('a'))], transitions: [transitionRow(1, 1)] } }));
      expect(await (await subject.made.reopen()).head()).toMatchObject({ epoch: 1, cursor: 1, log, isClean: false });
      expect(await state.findRun(keyOf('a'))).toMatchObject({ number: 1 });
      await store.commit(batch(1, 1, { log: { identity: 'log-1', offset: 0 } }));
      expect((await store.head()).log).toEqual({ identity: 'log-1', offset: 0 });
    });

    it.each([
      ['epoch that has passed', { epoch: 1, from: 0 }, 'at epoch 2; the batch was made at epoch 1'],
      ['epoch that is not yet', { epoch: 3, from: 0 }, 'at epoch 2; the batch was made at epoch 3'],
      ['cursor that has passed', { epoch: 2, from: -1 }, 'at cursor 0; the batch was made at -1'],
      ['cursor that is not yet', { epoch: 2, from: 1 }, 'at cursor 0; the batch was made at 1'],
    ])('of the %s writes nothing, and is told why', async (_, { epoch, from }, why) => {
      const { store, state } = subject.made;
      await store.takeOver(1);
      await store.countTry(2, '@1');
      const before = await store.head();
      const stale = batch(epoch, from, {
        changes: { runs: [runRow(1, keyOf('a'))], inputs: [inputRow('a', 'i')] },
        outbox: { put: [{ destination: 'scheduler/0', number: 1, body: body('a') }], confirmed: [] },
        intake: { marks: [{ source: 'scheduler/1', mark: 1, seen: [1] }], tombstones: { put: [{ source: 'scheduler/1', number: 1, key: 'k', body: body('a') }], dropped: [] } },
        triesDropped: ['@1'],
      });
      await expect(store.commit(stale)).rejects.toMatchObject({ fault: 'staleOwner', code: 'not-owner', message: expect.stringContaining(why) });
      expect(await store.head()).toEqual(before);
      expect(await state.findRun(keyOf('a'))).toBeUndefined();
      expect(await state.findInput({ tenant: 't', workflowId: 'a', inputId: 'i' })).toBeUndefined();
      await store.takeOver(2);
      expect(await store.countTry(3, '@1')).toBe(2);
    });

    it('is all or nothing when something in its middle cannot be stored', async () => {
      const { store, state } = subject.made;
      await store.commit(batch(1, 0, { changes: { runs: [runRow(1, keyOf('a'))], transitions: [transitionRow(1, 1)] } }));
      const before = await store.head();
      const bad = batch(1, 1, {
        changes: { runs: [runRow(2, keyOf('b'))], inputs: [inputRow('b', 'i')], transitions: [transitionRow(1, 2), transitionRow(1, 1), transitionRow(2, 1)] },
        outbox: { put: [{ destination: 'scheduler/0', number: 1, body: body('b') }], confirmed: [] },
      });
      await expect(store.commit(bad)).rejects.toMatchObject({ fault: 'contentRefused' });
      expect(await store.head()).toEqual(before);
      expect(await state.findRun(keyOf('b'))).toBeUndefined();
      expect(await state.transitions(1, { fromEvent: 1, limit: 9 })).toHaveLength(1);
      await store.commit(batch(1, 1, { changes: { runs: [runRow(2, keyOf('b'))] } }));
      expect(await state.findRun(keyOf('b'))).toMatchObject({ number: 2 });
    });

    it('that is sent again after it landed is refused by its cursor, and the row tells', async () => {
      const { store, state } = subject.made;
      const commit = batch(1, 0, { changes: { runs: [runRow(1, keyOf('a'))], transitions: [transitionRow(1, 1)] } });
      await store.commit(commit);
      await expect((await subject.made.reopen()).commit(commit)).rejects.toMatchObject({ fault: 'staleOwner' });
      expect(await store.head()).toMatchObject({ epoch: 1, cursor: commit.cursor.to });
      expect(await state.transitions(1, { fromEvent: 1, limit: 9 })).toHaveLength(1);
    });
  });
}

function deliveries(subject: Subject): void {
  describe('what it sends and receives', () => {
    beforeEach(() => subject.made.store.takeOver(0));
    const row = (destination: 'scheduler/0' | 'correlation/1', number: number) => ({ destination, number, body: body(`${destination}#${number}`) });

    it('comes back as it was, and numbers stay given out when their rows are gone', async () => {
      const { store } = subject.made;
      const odd = { destination: 'scheduler/0' as const, number: 3, body: { ...body('odd'), run: { tenant: 't', workflowId: ODD_TEXTS.join(), runId: '\u0000 \ud800' } } };
      await store.commit(batch(1, 0, { outbox: { put: [row('scheduler/0', 1), row('scheduler/0', 2), odd, row('correlation/1', 1)], confirmed: [] } }));
      await store.commit(batch(1, 1, { outbox: { put: [], confirmed: [{ destination: 'scheduler/0', number: 1 }, { destination: 'correlation/1', number: 1 }, { destination: 'correlation/1', number: 9 }] } }));
      const head = await (await subject.made.reopen()).head();
      expect([...head.outbox].sort((a, b) => a.number - b.number)).toEqual([row('scheduler/0', 2), odd]);
      expect(head.lastNumbers).toEqual({ 'scheduler/0': 3, 'correlation/1': 1 });
      await store.commit(batch(1, 2, { outbox: { put: [row('scheduler/0', 4), row('correlation/1', 2)], confirmed: [] } }));
      expect((await store.head()).lastNumbers).toEqual({ 'scheduler/0': 4, 'correlation/1': 2 });
    });

    it('keeps marks by their source, each as it was put last', async () => {
      const { store } = subject.made;
      const mark = (source: 'scheduler/0' | 'history/0', at: number, seen: number[]) => ({ source, mark: at, seen });
      await store.commit(batch(1, 0, { intake: { marks: [mark('scheduler/0', 1, [1, 3]), mark('history/0', 4, [])], tombstones: { put: [], dropped: [] } } }));
      await store.commit(batch(1, 1, { intake: { marks: [mark('scheduler/0', 3, [3, 4])], tombstones: { put: [], dropped: [] } } }));
      const { marks } = await store.head();
      expect([...marks].sort((a, b) => (a.source < b.source ? -1 : 1))).toEqual([mark('history/0', 4, []), mark('scheduler/0', 3, [3, 4])]);
    });

    it('keeps tombstones until they are dropped', async () => {
      const { store } = subject.made;
      const tombstone = (number: number) => ({ source: 'history/0' as const, number, key: `task t\u0000w\\0 ${number}`, body: body('w') });
      await store.commit(batch(1, 0, { intake: { marks: [], tombstones: { put: [tombstone(1), tombstone(2)], dropped: [] } } }));
      expect((await store.head()).tombstones).toEqual([tombstone(1), tombstone(2)]);
      await store.commit(batch(1, 1, { intake: { marks: [], tombstones: { put: [tombstone(3)], dropped: [{ source: 'history/0', number: 1 }, { source: 'history/1', number: 2 }] } } }));
      expect((await store.head()).tombstones).toEqual([tombstone(2), tombstone(3)]);
    });
  });
}

function tries(subject: Subject): void {
  describe('tries', () => {
    it('count owners, each once, but not those that lived through theirs', async () => {
      const { store } = subject.made;
      await store.takeOver(0);
      expect([await store.countTry(1, '@0'), await store.countTry(1, '@0'), await store.countTry(1, '@1')]).toEqual([1, 1, 1]);
      await store.takeOver(1);
      expect(await store.countTry(2, '@0')).toBe(2);
      expect([...(await store.head()).tried].sort()).toEqual(['@0', '@1']);
      await store.survived(1, '@0');
      expect(await (await subject.made.reopen()).countTry(2, '@0')).toBe(1);
      await store.survived(2, '@nothing');
    });

    it('of a stale owner are not begun', async () => {
      const { store } = subject.made;
      await store.takeOver(0);
      await store.takeOver(1);
      await expect(store.countTry(1, '@0')).rejects.toMatchObject({ fault: 'staleOwner' });
      expect(await store.countTry(2, '@0')).toBe(1);
    });

    it('are forgotten with the batch that says so', async () => {
      const { store } = subject.made;
      await store.takeOver(0);
      await store.countTry(1, '@0');
      await store.countTry(1, '@1');
      await store.takeOver(1);
      await store.commit(batch(2, 0, { triesDropped: ['@0'] }));
      expect([await store.countTry(2, '@0'), await store.countTry(2, '@1')]).toEqual([1, 2]);
    });
  });
}

function races(subject: Subject): void {
  describe('at once', () => {
    it('of many that take over one wins', async () => {
      for (let epoch = 0; epoch < 5; epoch++) {
        const stores = await Promise.all(Array.from({ length: 8 }, () => subject.made.reopen()));
        const said = await outcomes(stores.map((store) => store.takeOver(epoch)));
        expect(said.filter((each) => each === 'done')).toEqual(['done']);
        expect(said.filter((each) => each === 'staleOwner')).toHaveLength(7);
        expect(await subject.made.store.epoch()).toBe(epoch + 1);
      }
    });

    it('a commit and who takes over: either it is in the new owner\'s row, or it is not at all', async () => {
      const { store, state } = subject.made;
      await store.takeOver(0);
      for (let epoch = 1, cursor = 0; epoch < 9; epoch++) {
        const other = await subject.made.reopen();
        const [committed, taken] = await outcomes([
          store.commit(batch(epoch, cursor, { changes: { runs: [runRow(epoch, keyOf(`w${epoch}`))] } })),
          // Also when the commit is over half done.
          Promise.resolve(epoch % 2 === 0 ? undefined : store.epoch()).then(() => other.takeOver(epoch)),
        ]);
        expect(taken).toBe('done');
        expect(['done', 'staleOwner']).toContain(committed);
        if (committed === 'done') cursor += 1;
        expect(await store.head()).toMatchObject({ epoch: epoch + 1, cursor });
        expect((await state.findRun(keyOf(`w${epoch}`))) !== undefined).toBe(committed === 'done');
      }
    });

    it('of many commits at one cursor one lands', async () => {
      const { store, state } = subject.made;
      await store.takeOver(0);
      const stores = await Promise.all(Array.from({ length: 6 }, () => subject.made.reopen()));
      const said = await outcomes(stores.map((each, index) => each.commit(batch(1, 0, { changes: { runs: [runRow(index + 1, keyOf(`w${index}`))] } }))));
      expect(said.filter((each) => each === 'done')).toEqual(['done']);
      expect(said.filter((each) => each === 'staleOwner')).toHaveLength(5);
      const found = await Promise.all(stores.map((_, index) => state.findRun(keyOf(`w${index}`))));
      expect(found.map((run) => run !== undefined)).toEqual(said.map((each) => each === 'done'));
    });
  });
}
