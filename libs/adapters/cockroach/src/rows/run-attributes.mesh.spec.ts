import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import type { RunRow } from '@perdure/history';
import { migrate } from '../schema/migrate.js';
import { MIGRATIONS } from '../schema/migrations.js';
import { CockroachStateStore } from '../stores/cockroach-state-store.js';
import { historySliceStore } from '../stores/slice-stores.js';
import { keepBundles } from '../testing/keep-bundles.js';
import { openTestDatabase, type TestDatabase } from '../testing/test-database.js';

const NOTHING = { outbox: { put: [], confirmed: [] }, intake: { marks: [], tombstones: { put: [], dropped: [] } }, triesDropped: [] } as const;

const runRow = (number: number, city: string): RunRow => ({
  number, tenant: 't', workflowId: `w${number}`, runId: 'r1', workflowType: 'one', status: 'completed', pin: { bundle: 'b', abi: 1, sandbox: 's1' }, startedAt: 0, closedAt: number, chain: 'r1', searchAttributes: { city },
});

describe('what leads from an attribute to its runs', () => {
  let database: TestDatabase;
  beforeEach(async () => {
    database = await openTestDatabase(process.env['PERDURE_TEST_POSTGRES']);
    await keepBundles(database.pool, { tenants: ['t'], hashes: ['b'] });
    const store = historySliceStore(database.pool, 'history/0');
    await store.takeOver(0);
    for (const [cursor, runs] of [[runRow(1, 'Ulm'), runRow(2, 'Ulm')], [runRow(1, 'Bonn')]].entries()) {
      const moved = { epoch: 1, cursor: { from: cursor, to: cursor + 1 } };
      await store.commit({ ...moved, rows: { ...moved, shard: 0, runs, transitions: [], inputs: [], snapshots: [], snapshotsDropped: [] }, ...NOTHING });
    }
  });
  afterEach(() => database.close());

  const led = (): Promise<readonly number[]> => database.pool.session(async (ask) => (await ask('select number from run_attributes order by number')).map(({ number }) => Number(number)));

  it('goes with the run, also what the run had before', async () => {
    expect(await led()).toEqual([1, 1, 2]);
    await new CockroachStateStore(database.pool, 'history/0').purge({ closedBeforeMs: 2, limit: 10 });
    expect(await led()).toEqual([2]);
  });

  it('is made of the runs that were there before it', async () => {
    await database.pool.session(async (ask) => {
      await ask('drop table run_attributes');
      await ask('delete from schema_versions where version >= 2');
    });
    await migrate(database.pool, MIGRATIONS);
    expect(await led()).toEqual([1, 2]);
  });
});
