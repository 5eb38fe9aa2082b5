import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { ManualClock } from '@perdure/clock';
import type { HistoryCommit, RunRow } from '@perdure/history';
import { BUNDLE_RETIRE_AFTER_MS } from '@perdure/ingestion';
import type { CockroachPool } from '../pool/cockroach-pool.js';
import { historySliceStore } from '../stores/slice-stores.js';
import { openTestDatabase, type TestDatabase } from '../testing/test-database.js';
import { CockroachBundles } from './bundles.js';
import { CockroachBundleSource } from './bundle-source.js';
import { CockroachRunReader } from './run-reader.js';

const NOTHING = { outbox: { put: [], confirmed: [] }, intake: { marks: [], tombstones: { put: [], dropped: [] } }, triesDropped: [] } as const;

const runRow = (number: number, bundle: string, more: Partial<RunRow> = {}): RunRow => ({
  number, tenant: 't', workflowId: `w${number}`, runId: 'r1', workflowType: 'one', status: 'running', pin: { bundle, abi: 1, sandbox: 's1' }, startedAt: 0, chain: 'r1', ...more,
});

/** Its text is its hash. */
const inspect = async (code: string): Promise<{ readonly hash: string; readonly workflows: readonly string[] }> => ({ hash: code, workflows: ['one'] });

/** A shard's owner. */
class Owner {
  readonly #store;
  #cursor = 0;

  constructor(pool: CockroachPool) {
    this.#store = historySliceStore(pool, 'history/0');
  }

  takeOver(): Promise<void> {
    return this.#store.takeOver(0);
  }

  async commit(run: RunRow): Promise<void> {
    const cursor = { from: this.#cursor, to: this.#cursor + 1 };
    const rows: HistoryCommit = { shard: 0, epoch: 1, cursor, runs: [run], transitions: [], inputs: [], snapshots: [], snapshotsDropped: [] };
    await this.#store.commit({ epoch: 1, cursor, rows, ...NOTHING });
    this.#cursor += 1;
  }
}

describe('retiring a bundle while a run starts on it', () => {
  let database: TestDatabase;
  let owner: Owner;
  let bundles: CockroachBundles;
  let onRetire: () => void;
  const clock = new ManualClock();

  beforeEach(async () => {
    database = await openTestDatabase(process.env['PERDURE_TEST_POSTGRES']);
    owner = new Owner(database.pool);
    await owner.takeOver();
    onRetire = () => undefined;
    const retiring = database.open({ onStatement: ({ name }) => name === 'retire_bundle' && onRetire() });
    bundles = new CockroachBundles(retiring, { inspect, clock, reader: new CockroachRunReader(database.pool) });
    clock.advanceTo(Math.max(clock.now(), 2 * BUNDLE_RETIRE_AFTER_MS));
  });
  afterEach(() => database.close());

  const deployOld = async (hash: string): Promise<void> => {
    for (const code of [hash, 'new']) await bundles.deploy('t', { name: 'x', code });
  };

  it('refuses a start on what is not there, by name, and takes nothing of its batch', async () => {
    await deployOld('old');
    await bundles.retire('t', 'old');
    await expect(owner.commit(runRow(1, 'old'))).rejects.toMatchObject({ fault: 'contentRefused', message: expect.stringContaining('no bundle old is deployed') });
    await owner.commit(runRow(1, 'new'));
    expect(await new CockroachRunReader(database.pool).list('t', { limit: 9 })).toMatchObject({ runs: [{ bundle: 'new' }] });
  });

  it('lets a run close whose bundle has gone', async () => {
    await owner.commit(runRow(1, 'gone', { status: 'completed', closedAt: 1 }));
  });

  it('lets the start be when it commits within the retirement', async () => {
    await deployOld('old');
    const retirement = database.open({ limits: { conflictRetriesMax: 0 } });
    await retirement.session(async (ask) => {
      await ask('begin isolation level serializable');
      // What `retire` does in one statement.
      expect(await ask("delete from bundles where tenant = 't' and hash = 'old' and not exists (select 1 from runs where slice = 'history/0' and tenant = 't' and bundle = 'old') returning hash")).toHaveLength(1);
      await owner.commit(runRow(1, 'old'));
      await expect(ask('commit')).rejects.toMatchObject({ code: '40001' });
    });
    await expect(bundles.retire('t', 'old')).rejects.toMatchObject({ code: 'bundle-in-use' });
    expect(await new CockroachBundleSource(database.pool, { clock }).find('t', 'old')).toMatchObject({ code: 'old' });
  });

  it('lets one of them be, whichever comes first and however closely', async () => {
    const reader = new CockroachRunReader(database.pool);
    const outcomes = new Set<string>();
    for (let number = 1; number <= 60; number++) {
      const hash = `old-${number}`;
      await deployOld(hash);
      // Every other time the start sets out when the retirement has.
      const setOut = number % 2 === 0 ? Promise.resolve() : new Promise<void>((resolve) => (onRetire = resolve));
      const [start, retirement] = await Promise.allSettled([setOut.then(() => owner.commit(runRow(number, hash))), bundles.retire('t', hash)]);
      const isThere = (await bundles.find('t', hash)) !== undefined;
      const [use] = await reader.bundleUse('t', hash);
      expect({ number, isThere, open: use?.open ?? 0 }).toEqual({ number, isThere: start.status === 'fulfilled', open: start.status === 'fulfilled' ? 1 : 0 });
      expect(retirement.status === 'fulfilled').toBe(!isThere);
      if (start.status === 'rejected') expect(start.reason).toMatchObject({ fault: 'contentRefused' });
      outcomes.add(isThere ? 'started' : 'retired');
    }
    expect([...outcomes].sort()).toEqual(['retired', 'started']);
  });

  it('does not take away what is deployed anew at that moment', async () => {
    for (let time = 1; time <= 20; time++) {
      const hash = `old-${time}`;
      await deployOld(hash);
      await Promise.allSettled([bundles.deploy('t', { name: 'x', code: hash }), bundles.retire('t', hash)]);
      expect(await bundles.find('t', hash)).toMatchObject({ hash, defaultFor: ['one'] });
    }
  });
});
