import { afterEach, beforeEach } from '@jest/globals';
import { ManualClock } from '@perdure/clock';
import { CockroachAuditLog, CockroachBundles, CockroachBundleSource, CockroachRunReader, CockroachTaskReader, CockroachWaitReader, compensationSliceStore, correlationSliceStore, historySliceStore, schedulerSliceStore, type CockroachPool } from '@perdure/cockroach';
import { keepBundles, openTestDatabase, type TestDatabase } from '@perdure/cockroach/testing';
import type { Service, SliceName, SliceStore } from '@perdure/delivery';
import { slotOf, SLOTS } from '@perdure/identity';
import { auditLogSuite } from './audit-log-suite.js';
import { bundleRegistrySuite, inspectSample } from './bundle-registry-suite.js';
import { READER_SLICES } from './made-reader.js';
import { runReaderSuite, type RunRows } from './run-reader-suite.js';
import { commitOf } from './sample-rows.js';
import { taskReaderSuite } from './task-reader-suite.js';
import { waitReaderSuite } from './wait-reader-suite.js';

let database: TestDatabase;
beforeEach(async () => {
  database = await openTestDatabase(process.env['PERDURE_TEST_POSTGRES']);
});
afterEach(() => database.close());

const NOTHING = { outbox: { put: [], confirmed: [] }, intake: { marks: [], tombstones: { put: [], dropped: [] } }, triesDropped: [] } as const;

/** Owners of all slices of a service, which commit what the suite has. */
async function owners<Rows>(service: Service, make: (pool: CockroachPool, slice: SliceName) => SliceStore<Rows>): Promise<(slice: number, rows: Rows) => Promise<void>> {
  const stores = Array.from({ length: READER_SLICES }, (_, slice) => make(database.pool, `${service}/${slice}`));
  for (const store of stores) await store.takeOver(0);
  const cursors = stores.map(() => 0);
  return async (slice, rows) => {
    const from = cursors[slice]!;
    await stores[slice]!.commit({ epoch: 1, cursor: { from, to: from + 1 }, rows, ...NOTHING });
    cursors[slice] = from + 1;
  };
}

const shardOf = (tenant: string, workflowId: string): number => Math.floor((slotOf(tenant, workflowId) * READER_SLICES) / SLOTS);
const MAP = {
  shardOf: (tenant: string, workflowId: string): SliceName => `history/${shardOf(tenant, workflowId)}`,
  // Not in order: whoever asks puts them in theirs.
  slices: ['history/2', 'scheduler/0', 'history/0', 'history/1'] satisfies SliceName[],
};

const runs = async (): Promise<(slice: number, rows: RunRows) => Promise<void>> => {
  const write = await owners('history', historySliceStore);
  return (slice, rows) => write(slice, commitOf({ epoch: 1, cursor: 0 }, rows));
};

for (const [name, map] of [['PostgreSQL, by the map', MAP], ['PostgreSQL, over all shards', undefined]] as const) {
  runReaderSuite(name, async () => {
    await keepBundles(database.pool, { tenants: ['t', 'u'], hashes: ['b1', 'b2'] });
    return { shardOf, reader: new CockroachRunReader(database.open(), map), write: await runs(), close: async () => undefined };
  });
}
waitReaderSuite('PostgreSQL', async () => ({ reader: new CockroachWaitReader(database.open()), write: await owners('correlation', correlationSliceStore), close: async () => undefined }));
taskReaderSuite('PostgreSQL', async () => ({
  reader: new CockroachTaskReader(database.open(), { schedulerOf: (tenant, workflowId) => `scheduler/${shardOf(tenant, workflowId)}` }),
  sliceOf: shardOf,
  write: await owners('scheduler', schedulerSliceStore),
  close: async () => undefined,
}));
auditLogSuite('PostgreSQL', async () => ({ reader: new CockroachAuditLog(database.open()), write: await owners('compensation', compensationSliceStore), close: async () => undefined }));
bundleRegistrySuite('PostgreSQL', async () => {
  const [pool, clock, write] = [database.open(), new ManualClock(), await runs()];
  return {
    clock,
    registry: new CockroachBundles(pool, { clock, inspect: inspectSample, reader: new CockroachRunReader(pool) }),
    source: new CockroachBundleSource(database.open(), { clock }),
    write: (rows) => write(0, { runs: rows }),
    close: async () => undefined,
  };
});
