import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from '@jest/globals';
import type { SliceCommit, SliceName } from '@perdure/delivery';
import { ALL_GUARDS } from '@perdure/guards';
import { withoutGuard } from '@perdure/guards/testing';
import type { HistoryCommit, RunRow } from '@perdure/history';
import type { CockroachPool } from '../pool/cockroach-pool.js';
import { CutProxy } from '../testing/cut-proxy.js';
import { keepBundles } from '../testing/keep-bundles.js';
import { openTestDatabase, type TestDatabase } from '../testing/test-database.js';
import { until } from '../testing/until.js';
import { CockroachStateStore } from './cockroach-state-store.js';
import { compensationSliceStore, correlationSliceStore, historySliceStore, schedulerSliceStore } from './slice-stores.js';

type Commit = SliceCommit<HistoryCommit>;

const NOTHING = { outbox: { put: [], confirmed: [] }, intake: { marks: [], tombstones: { put: [], dropped: [] } }, triesDropped: [] } as const;
const runRow = (number: number, more: Partial<RunRow> = {}): RunRow => ({ number, tenant: 't', workflowId: `w${number}`, runId: 'r', workflowType: 'order', status: 'running', pin: { bundle: 'b', abi: 1, sandbox: 's' }, startedAt: 1, chain: 'r', ...more });
const rowsOf = (rows: Partial<HistoryCommit>): HistoryCommit => ({ shard: 0, epoch: 1, cursor: { from: 0, to: 1 }, transitions: [], runs: [], inputs: [], snapshots: [], snapshotsDropped: [], ...rows });
const batch = (from: number, rows: Partial<HistoryCommit>, more: Partial<Commit> = {}): Commit => ({ epoch: 1, cursor: { from, to: from + 1 }, rows: rowsOf(rows), ...NOTHING, ...more });

let database: TestDatabase;
let slices = 0;
beforeAll(async () => {
  database = await openTestDatabase(process.env['PERDURE_TEST_POSTGRES']);
  await keepBundles(database.pool, { tenants: ['t'], hashes: ['b'] });
});
afterAll(() => database.close());

/** Sessions that are in the way; a test that fails leaves them. */
const blockers = new Set<(end: 'rollback') => Promise<void>>();

/** A session that is in the way of who writes the slice's row, until it is let go. */
async function inTheWay(slice: SliceName): Promise<(end: 'commit' | 'rollback') => Promise<void>> {
  let letGo: (end: 'commit' | 'rollback') => void;
  const told = new Promise<'commit' | 'rollback'>((resolve) => (letGo = resolve));
  let isThere: () => void;
  const there = new Promise<void>((resolve) => (isThere = resolve));
  const session = database.pool.session(async (ask) => {
    await ask('begin isolation level serializable');
    await ask('update slices set is_clean = is_clean where slice = $1', [slice]);
    isThere();
    await ask(await told);
  });
  await Promise.race([there, session]);
  const end = async (how: 'commit' | 'rollback'): Promise<void> => {
    blockers.delete(end);
    letGo(how);
    await session;
  };
  blockers.add(end);
  return end;
}

/** Sessions of an application that wait for another's row. */
const waiting = async (application: string): Promise<number[]> =>
  (await database.pool.session((ask) => ask("select pid from pg_stat_activity where application_name = $1 and wait_event_type = 'Lock'", [application]))).map(({ pid }) => pid as number);

describe('A slice in the store', () => {
  let slice: SliceName;
  let pool: CockroachPool;
  beforeEach(async () => {
    slice = `history/${slices++}`;
    pool = database.pool;
    await historySliceStore(pool, slice).takeOver(0);
  });
  afterEach(() => Promise.all([...blockers].map((letGo) => letGo('rollback'))));

  describe('when others are in the way', () => {
    it('tries the same transaction anew, and both are done', async () => {
      const conflicts: string[] = [];
      const mine = database.open({ applicationName: slice, onConflict: ({ message }) => void conflicts.push(message) });
      const letGo = await inTheWay(slice);
      const done = historySliceStore(mine, slice).commit(batch(0, { runs: [runRow(1)] }));
      await until(async () => (await waiting(slice)).length > 0);
      await letGo('commit');
      await done;
      expect(conflicts).toEqual([expect.stringContaining('40001')]);
      expect(await historySliceStore(pool, slice).head()).toMatchObject({ cursor: 1 });
      expect(await new CockroachStateStore(pool, slice).findRun({ tenant: 't', workflowId: 'w1' })).toMatchObject({ number: 1 });
    });

    it('says in the end that it is unavailable, and then nothing is written', async () => {
      const mine = database.open({ applicationName: slice, limits: { conflictRetriesMax: 0 } });
      const letGo = await inTheWay(slice);
      const refused = expect(historySliceStore(mine, slice).commit(batch(0, { runs: [runRow(1)] }))).rejects.toMatchObject({ fault: 'unavailable', message: expect.stringContaining('40001') });
      await until(async () => (await waiting(slice)).length > 0);
      await letGo('commit');
      await refused;
      expect(await historySliceStore(pool, slice).head()).toMatchObject({ cursor: 0 });
    });
  });

  describe('when nobody can tell what became of a batch', () => {
    let proxy: CutProxy;
    let through: CockroachPool;
    beforeEach(async () => {
      const { proxy: made, url } = await CutProxy.before(database.url);
      proxy = made;
      through = database.open({ connectionString: url, applicationName: slice, limits: { answerTimeoutMs: 1_000, statementTimeoutMs: 500 } });
      // A connection that is there already: what breaks is the commit.
      await historySliceStore(through, slice).epoch();
    });
    afterEach(async () => {
      await through.close();
      await proxy.close();
    });
    const unknown = (): Promise<void> => expect(historySliceStore(through, slice).commit(batch(0, { runs: [runRow(1)] }))).rejects.toMatchObject({ fault: 'commitUnknown' });
    const cursor = async (): Promise<number> => (await historySliceStore(pool, slice).head()).cursor;

    it('the connection broke after the commit: the row says that it landed', async () => {
      proxy.drop('answers');
      const said = unknown();
      await until(async () => (await cursor()) === 1);
      proxy.cut();
      await said;
      expect(await new CockroachStateStore(pool, slice).findRun({ tenant: 't', workflowId: 'w1' })).toMatchObject({ number: 1 });
    });

    it('the connection broke before the commit: the row says that it did not', async () => {
      proxy.drop('requests');
      const said = unknown();
      await until(() => proxy.dropped > 0);
      proxy.cut();
      await said;
      expect(await cursor()).toBe(0);
    });

    it('the answer does not come: it is given up', async () => {
      proxy.drop('answers');
      await unknown();
      expect(await cursor()).toBe(1);
    });

    it('the server ended the session', async () => {
      const letGo = await inTheWay(slice);
      const said = unknown();
      await until(async () => (await waiting(slice)).length > 0);
      const [pid] = await waiting(slice);
      await database.pool.session((ask) => ask(`select pg_terminate_backend(${pid!})`));
      await said;
      await letGo('rollback');
      expect(await cursor()).toBe(0);
    });

    it('the server took too long', async () => {
      const letGo = await inTheWay(slice);
      await unknown();
      await letGo('rollback');
      expect(await cursor()).toBe(0);
      proxy.drop('nothing');
      await historySliceStore(through, slice).commit(batch(0, { runs: [runRow(1)] }));
      expect(await cursor()).toBe(1);
    });
  });

  describe('what cannot be stored', () => {
    const random = Array.from({ length: 3_000 }, (_, index) => String.fromCodePoint(0x4e00 + ((index * 7_919) % 20_000))).join('');
    it.each<[string, Partial<HistoryCommit>]>([
      ['an id with a zero', { runs: [runRow(1), runRow(2, { workflowId: 'a\u0000b' })] }],
      ['an id with half a surrogate pair', { runs: [runRow(1), runRow(2, { workflowId: 'a\ud800' })] }],
      ['an id that no index takes', { runs: [runRow(1), runRow(2, { workflowId: random })] }],
      ['an event that is there', { runs: [runRow(1)], transitions: [1, 1].map((last) => ({ run: 1, last, at: 1, bundle: 'b', inputId: 'i', digest: Buffer.alloc(16), events: '[]' })) }],
      ['a batch beyond all bounds', { runs: [runRow(1)], transitions: Array.from({ length: 13 }, (_, last) => ({ run: 1, last, at: 1, bundle: 'b', inputId: 'i', digest: Buffer.alloc(16), events: 'x'.repeat(4 * 1024 * 1024) })) }],
    ])('%s is the content\'s fault, and nothing is written', async (_, rows) => {
      const store = historySliceStore(pool, slice);
      await expect(store.commit(batch(0, rows))).rejects.toMatchObject({ fault: 'contentRefused' });
      expect(await store.head()).toMatchObject({ cursor: 0 });
      expect(await new CockroachStateStore(pool, slice).findRun({ tenant: 't', workflowId: 'w1' })).toBeUndefined();
    });

    it('but payloads hold anything', async () => {
      const odd = { 'k\u0000': '\u0000 \ud800 \udfff x', list: ['\\u0000', '\\', '"'] };
      await historySliceStore(pool, slice).commit(batch(0, { runs: [runRow(1, { memo: odd, closedAt: 1, result: { status: 'completed', runId: 'r', result: odd } })] }));
      expect(await new CockroachStateStore(pool, slice).findRun({ tenant: 't', workflowId: 'w1' })).toMatchObject({ memo: odd, result: { result: odd } });
    });

    it('and a batch of many megabytes goes by several statements', async () => {
      const events = JSON.stringify([{ kind: 'timerFired', seq: 1, pad: 'x'.repeat(3 * 1024 * 1024) }]);
      await historySliceStore(pool, slice).commit(batch(0, { runs: [runRow(1)], transitions: [1, 2, 3].map((last) => ({ run: 1, last, at: 1, bundle: 'b', inputId: 'i', digest: Buffer.alloc(16), events })) }));
      expect(await new CockroachStateStore(pool, slice).transitions(1, { fromEvent: 1, limit: 9 })).toHaveLength(3);
    });
  });

  it('is one exchange for a batch, whatever is in it', async () => {
    const sent: string[] = [];
    const mine = database.open({ onStatement: ({ text }) => void sent.push(text) });
    const store = historySliceStore(mine, slice);
    await store.commit(batch(0, { runs: [runRow(1)] }));
    sent.length = 0;
    await store.commit(batch(1, { runs: [runRow(2), runRow(3)] }, { outbox: { put: [1, 2, 3].map((number) => ({ destination: 'scheduler/0', number, body: { to: 'scheduler', kind: 'dropRun', run: { tenant: 't', workflowId: 'w', runId: 'r' } } })), confirmed: [] } }));
    expect(sent.map((text) => text.split(/\s+/).slice(0, 3).join(' '))).toEqual(['begin isolation level', 'with moved as', 'insert into outbox', 'insert into last_numbers', 'select case when', 'insert into runs', 'commit']);
  });

  it('keeps its fence by guards that can be taken out one by one', async () => {
    await historySliceStore(pool, slice).takeOver(1);
    const stale = batch(5, {});
    await expect(historySliceStore(pool, slice, ALL_GUARDS).commit(stale)).rejects.toMatchObject({ fault: 'staleOwner' });
    await expect(historySliceStore(pool, slice, withoutGuard('epochCheck')).commit(stale)).rejects.toMatchObject({ fault: 'staleOwner', message: expect.stringContaining('cursor 0') });
    await historySliceStore(database.open(), slice, withoutGuard('epochCheck')).commit(batch(0, {}));
    await historySliceStore(database.open(), slice, withoutGuard('cursorCompareAndSet')).commit({ ...stale, epoch: 2 });
    expect(await historySliceStore(pool, slice).head()).toMatchObject({ epoch: 2, cursor: 6 });
  });
});

describe('Batches', () => {
  const run = { tenant: 't', workflowId: 'w', runId: 'r' };
  const wait = (key: string) => ({ key, run, seq: 1, chain: 'r', wait: { type: 'scan', match: {} }, order: 1, openedAt: 1 });
  const event = (arrival: number) => ({ arrival, arrivedAt: 1, tenant: 't', type: 'scan', keys: {}, state: 'buffered' as const, event: { tenant: 't', source: 's', id: `e${arrival}`, type: 'scan', time: 1, keys: {} } });
  const task = (seq: number) => ({ key: `t/w/r/${seq}`, order: seq, spec: { run, seq, role: 'activity' as const, name: 'a', input: null, options: { queue: 'q', startToCloseTimeoutMs: 1, retry: { maxAttempts: 1, initialIntervalMs: 1, backoffCoefficient: 1, maxIntervalMs: 1 } }, bundle: 'b', workflowType: 'o', at: 1 }, state: { attempt: 1, failures: 0, crashes: 0, crashesInRow: 0, notBefore: 0 } });
  const delivery = { outbox: { put: [{ destination: 'history/0', number: 2, body: { to: 'scheduler', kind: 'dropRun', run } }], confirmed: [{ destination: 'history/0', number: 1 }] }, intake: { marks: [{ source: 'history/0', mark: 1, seen: [1] }], tombstones: { put: [{ source: 'history/0', number: 1, key: 'k', body: { to: 'scheduler', kind: 'dropRun', run } }], dropped: [] } }, triesDropped: [] } as const;

  /** What each service does in a batch, all of it. */
  const stores = (pool: CockroachPool) => [
    { store: historySliceStore(pool, 'history/900'), rows: rowsOf({ runs: [runRow(1)], inputs: [{ tenant: 't', workflowId: 'w', inputId: 'i', content: 'c', at: 1, outcome: { kind: 'accepted', runId: 'r' } }], transitions: [], snapshots: [{ run: 1, last: 1, digest: Buffer.alloc(1), pin: { bundle: 'b', abi: 1, sandbox: 's' }, body: Buffer.alloc(1) }], snapshotsDropped: [2] }) },
    { store: schedulerSliceStore(pool, 'scheduler/900'), rows: [{ kind: 'putTask', row: task(1) }, { kind: 'deleteTask', key: 't/w/r/2' }, { kind: 'updateTask', key: 't/w/r/3', state: task(3).state }, { kind: 'putTimer', row: { key: 't/w/r/4', run, seq: 4, dueMs: 1 } }, { kind: 'deleteTimer', key: 't/w/r/5' }] },
    { store: correlationSliceStore(pool, 'correlation/900'), rows: [{ kind: 'putWait', row: wait('a') }, { kind: 'deleteWait', key: 'b' }, { kind: 'putEvent', row: event(1) }, { kind: 'markEvent', arrival: 2, state: 'spent' }, { kind: 'markEvent', arrival: 3, state: 'offered' }] },
    { store: compensationSliceStore(pool, 'compensation/900'), rows: [{ kind: 'putRollback', row: { key: 'a', order: 1, done: [], request: { to: 'compensation', kind: 'rollback', run, seq: 1, steps: [], cause: 'code', bundle: 'b', workflowType: 'o', at: 1 } } }, { kind: 'deleteRollback', key: 'b' }, { kind: 'audit', entry: { id: 'x', run, at: 1, cause: 'code', kind: 'rollbackStarted' } }] },
  ] as unknown as { readonly store: ReturnType<typeof historySliceStore>; readonly rows: HistoryCommit }[];

  it('take no read lock, which in PostgreSQL would be in other slices\' way, but on bundles, which few write', async () => {
    for (const [index, { store, rows }] of stores(database.pool).entries()) {
      await store.takeOver(0);
      // The first one sweeps.
      await store.commit({ epoch: 1, cursor: { from: 0, to: 1 }, rows: undefined, ...NOTHING });
      // Read locks outlive their transaction while one that began before it goes on.
      const locks = await database.pool.session(async (ask) => {
        const held = async (): Promise<string[]> =>
          (await ask("select virtualtransaction, relname, locktype, page, tuple from pg_locks join pg_class on pg_class.oid = relation where mode = 'SIReadLock' and relnamespace = $1::regnamespace and relname not in ('bundles', 'bundles_pkey')", [database.schema])).map((lock) => JSON.stringify(lock));
        await ask('begin isolation level serializable');
        const before = await held();
        await store.commit({ epoch: 1, cursor: { from: 1, to: 2 }, rows, ...delivery });
        const after = await held();
        await ask('rollback');
        return after.filter((lock) => !before.includes(lock));
      });
      expect([index, locks]).toEqual([index, []]);
    }
  });

  it('leave what has ended blank, unseen, and sweep it in time', async () => {
    const pool = database.open({ limits: { sweepEveryCommits: 3 } });
    const store = schedulerSliceStore(pool, 'scheduler/901');
    await store.takeOver(0);
    const kept = async (): Promise<number[]> => {
      const rows = await database.pool.session((ask) => ask("select (select count(*) from tasks where slice = 'scheduler/901') as tasks, (select count(*) from outbox where slice = 'scheduler/901') as outbox"));
      return [Number(rows[0]!.tasks), Number(rows[0]!.outbox)];
    };
    const body = { to: 'scheduler', kind: 'dropRun', run } as const;
    const commit = (from: number, more: object): Promise<void> => store.commit({ epoch: 1, cursor: { from, to: from + 1 }, rows: undefined, ...NOTHING, ...more });
    await commit(0, { rows: [{ kind: 'putTask', row: task(1) }, { kind: 'putTask', row: task(2) }], outbox: { put: [{ destination: 'history/0', number: 1, body }], confirmed: [] } });
    await commit(1, { rows: [{ kind: 'deleteTask', key: task(1).key }], outbox: { put: [], confirmed: [{ destination: 'history/0', number: 1 }] } });
    expect(await kept()).toEqual([2, 1]);
    expect((await store.head()).outbox).toEqual([]);
    await commit(2, {});
    await commit(3, {});
    expect(await kept()).toEqual([1, 0]);
    expect((await store.head()).lastNumbers).toEqual({ 'history/0': 1 });
  });
});
