import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { SystemClock } from '@perdure/clock';
import type { RunKey } from '@perdure/contract';
import { Bus, Logs, SliceMachine, SliceOwner, type Links, type Log, type Outgoing, type SliceName, type SliceWork } from '@perdure/delivery';
import { MemoryLog } from '@perdure/delivery/testing';
import type { SchedulerChange } from '@perdure/scheduler';
import { CutProxy } from '../testing/cut-proxy.js';
import { openTestDatabase, type TestDatabase } from '../testing/test-database.js';
import { until } from '../testing/until.js';
import { CockroachTaskStore } from './cockroach-scheduler-stores.js';
import { schedulerSliceStore } from './slice-stores.js';

type Changes = readonly SchedulerChange[];

const SLICE: SliceName = 'scheduler/0';
const INPUTS = 120;
const PER_BATCH = 6;
const RUN: RunKey = { tenant: 't', workflowId: 'w', runId: 'r' };

/** Puts a row for each input, under a number that is never given again: one that is taken in two batches has two. */
class Rows extends SliceMachine<Changes> {
  static #taken = 0;
  #staged: SchedulerChange[] = [];

  override async take(works: readonly SliceWork[]): Promise<readonly Outgoing[]> {
    for (const work of works) {
      if (work.kind !== 'input') continue;
      const order = ++Rows.#taken;
      this.#staged.push({ kind: 'putTask', row: { key: `${work.input.id}#${order}`, order, spec: { run: RUN } as never, state: {} as never } });
    }
    return [];
  }
  override async refuse(): Promise<readonly Outgoing[]> {
    throw new Error('nothing is to be refused here');
  }
  override takeRows(): Changes | undefined {
    return this.#staged.length > 0 ? [...this.#staged] : undefined;
  }
  override committed(): void {
    this.#staged = [];
  }
  override async takeBack(): Promise<void> {
    this.#staged = [];
  }
  override linksOf(): Links {
    return {};
  }
  override close(): void {
    this.#staged = [];
  }
}

class NoBus extends Bus {
  override send(): void {
    throw new Error('nothing is sent here');
  }
  override confirm(): void {
    throw new Error('nothing is received here');
  }
}

class NoLogs extends Logs {
  override of(): Log {
    throw new Error('nothing is appended here');
  }
}

describe('An owner whose connections break again and again', () => {
  let database: TestDatabase;
  let proxy: CutProxy;
  let url: string;
  beforeEach(async () => {
    database = await openTestDatabase(process.env['PERDURE_TEST_POSTGRES']);
    ({ proxy, url } = await CutProxy.before(database.url));
  });
  afterEach(async () => {
    proxy.drop('nothing');
    await database.close();
    await proxy.close();
  });

  it.each(['answers', 'requests'] as const)('and lose %s has taken each input once, in order', async (lost) => {
    const pool = database.open({ connectionString: url, limits: { connectTimeoutMs: 500, answerTimeoutMs: 500, statementTimeoutMs: 400 } });
    const direct = new CockroachTaskStore(database.pool, SLICE);
    const kept = async (): Promise<string[]> => [...(await direct.load())].map(({ key }) => key.split('#')[0]!);
    const log = new MemoryLog('log-1');
    let isDone = false;

    const own = async (): Promise<void> => {
      while (!isDone) {
        let goOn: () => void = () => undefined;
        const ended = new Promise<void>((resolve) => (goOn = resolve));
        const owner = await SliceOwner.open<Changes, Rows>({
          slice: SLICE, log, store: schedulerSliceStore(pool, SLICE), logs: new NoLogs(), bus: new NoBus(), clock: new SystemClock(), random: () => 0.5, defer: setImmediate,
          machine: async () => new Rows(),
          limits: { commitTriesMax: 4, retryAfterMs: 5, retryAfterMsMax: 20, deathGraceMs: 50 },
          events: { steppedDown: () => goOn() },
        }).catch(() => undefined);
        // Who cannot even begin tries again.
        if (!owner) continue;
        await Promise.race([ended, until(() => isDone)]);
        if (!owner.isDown) await owner.close();
      }
    };
    const owned = own();
    for (let appended = 0; appended < INPUTS; appended += PER_BATCH) {
      // The owner rests: what is lost is of the batch that comes now.
      await until(async () => (await kept()).length >= appended);
      const before = proxy.dropped;
      proxy.drop(lost);
      await log.append(Array.from({ length: PER_BATCH }, (_, each) => ({ body: { kind: 'input', input: { id: `i${appended + each}`, tenant: 't', workflowId: 'w', at: 1, kind: 'signal', name: 's' } } })));
      await until(() => proxy.dropped > before);
      proxy.cut();
      proxy.drop('nothing');
    }
    await until(async () => (await kept()).length >= INPUTS);
    isDone = true;
    await owned;
    expect(await kept()).toEqual(Array.from({ length: INPUTS }, (_, each) => `i${each}`));
  });
});
