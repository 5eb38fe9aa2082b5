import { afterAll, beforeAll, describe } from '@jest/globals';
import { CockroachCorrelationStore, CockroachSagaStore, CockroachStateStore, CockroachTaskStore, CockroachTimerStore, compensationSliceStore, correlationSliceStore, historySliceStore, schedulerSliceStore, type CockroachPool } from '@perdure/cockroach';
import { keepBundles, openTestDatabase, type TestDatabase } from '@perdure/cockroach/testing';
import type { SliceName, SliceStore } from '@perdure/delivery';
import type { HistoryCommit } from '@perdure/history';
import { correlationStoreSuite } from './correlation-store-suite.js';
import type { Made, Make } from './made.js';
import { sagaStoreSuite } from './saga-store-suite.js';
import { ODD_TEXTS } from './sample-rows.js';
import { taskStoreSuite, timerStoreSuite } from './scheduler-store-suite.js';
import { sliceStoreSuite } from './slice-store-suite.js';
import { stateStoreSuite } from './state-store-suite.js';

const NOTHING = { outbox: { put: [], confirmed: [] }, intake: { marks: [], tombstones: { put: [], dropped: [] } }, triesDropped: [] } as const;

/** Each store of the mesh over the server of that URL, in a schema of its own. */
export function cockroachSuites(server: string, url: () => string | undefined): void {
  describe(`Over ${server}`, () => {
    let database: TestDatabase;
    /** Another process, as it were. */
    let other: CockroachPool;
    let slices = 0;
    beforeAll(async () => {
      database = await openTestDatabase(url());
      other = database.open();
      await keepBundles(database.pool, { tenants: ['t', 'u', ...ODD_TEXTS], hashes: ['b1', 'b2'] });
    });
    afterAll(() => database.close());

    /** A slice of its own for each test; what the suite commits goes the one way there is, by the slice. */
    const onSlice =
      <Changes, Store extends { commit(changes: Changes): Promise<void> }>(service: 'scheduler' | 'correlation' | 'compensation', parts: { readonly slice: (pool: CockroachPool, slice: SliceName) => SliceStore<Changes>; readonly read: new (pool: CockroachPool, slice: SliceName) => Store }): Make<Store> =>
      async (): Promise<Made<Store>> => {
        const name: SliceName = `${service}/${slices++}`;
        const open = async (pool: CockroachPool): Promise<Store> => {
          const sliceStore = parts.slice(pool, name);
          await sliceStore.takeOver(await sliceStore.epoch());
          const { epoch, cursor } = await sliceStore.head();
          let from = cursor;
          const store = new parts.read(pool, name);
          store.commit = async (rows) => {
            await sliceStore.commit({ epoch, cursor: { from, to: from + 1 }, rows, ...NOTHING });
            from += 1;
          };
          return store;
        };
        const store = await open(database.pool);
        return { store, reopen: async () => new parts.read(other, name), close: async () => undefined };
      };

    const onShard: Make<CockroachStateStore> = async () => {
      const name: SliceName = `history/${slices++}`;
      const sliceStore = historySliceStore(database.pool, name);
      await sliceStore.takeOver(0);
      const store = new CockroachStateStore(database.pool, name);
      (store as { commit: (commit: HistoryCommit) => Promise<void> }).commit = ({ epoch, cursor, ...rows }) => sliceStore.commit({ epoch, cursor, rows: { ...rows, epoch, cursor }, ...NOTHING });
      return { store, reopen: async () => new CockroachStateStore(other, name), close: async () => undefined };
    };

    sliceStoreSuite(server, async () => {
      const name: SliceName = `history/${slices++}`;
      return {
        store: historySliceStore(database.pool, name),
        reopen: async () => historySliceStore(other, name),
        state: new CockroachStateStore(database.pool, name),
        close: async () => undefined,
      };
    });
    stateStoreSuite(server, onShard);
    taskStoreSuite(server, onSlice('scheduler', { slice: schedulerSliceStore, read: CockroachTaskStore }));
    timerStoreSuite(server, onSlice('scheduler', { slice: schedulerSliceStore, read: CockroachTimerStore }));
    correlationStoreSuite(server, onSlice('correlation', { slice: correlationSliceStore, read: CockroachCorrelationStore }));
    sagaStoreSuite(server, onSlice('compensation', { slice: compensationSliceStore, read: CockroachSagaStore }));
  });
}
