import { beforeEach, describe, expect, it } from '@jest/globals';
import { ManualClock } from '@perdure/clock';
import type { Input } from '@perdure/contract';
import { BundleSource, StoreFault, type BundleCode, type StoreFaultKind } from '@perdure/history';
import { deriveRunId } from '@perdure/identity';
import type { Sandbox } from '@perdure/sandbox';
import { ShardFile, SqliteSchedulerStore } from '@perdure/sqlite';
import { EmbeddedShard } from './embedded-shard.js';

class NoBundles extends BundleSource {
  override find(): Promise<BundleCode | undefined> {
    return Promise.resolve(undefined);
  }
  override defaultFor(): Promise<string | undefined> {
    return Promise.resolve(undefined);
  }
}

/** Fails as told, and counts how often it was asked to write. */
class FickleFile extends ShardFile {
  fault: StoreFaultKind | undefined;
  asked = 0;

  override transaction<T>(write: () => T): T {
    this.asked += 1;
    if (this.fault) throw new StoreFault(this.fault, 'as told');
    return super.transaction(write);
  }
}

/** A start of what no bundle has: it is refused, and that is recorded. */
const start = (workflowId: string): Input => ({ id: 'start', tenant: 't', workflowId, at: 1, kind: 'start', workflowType: 'none', newRunId: deriveRunId({ tenant: 't', workflowId, startId: 'start' }) });

const turns = async (): Promise<void> => {
  for (let turn = 0; turn < 5; turn++) await new Promise((resolve) => setImmediate(resolve));
};

describe('A shard whose file', () => {
  let file: FickleFile;
  let clock: ManualClock;
  let shard: EmbeddedShard;
  let deaths: string[];

  beforeEach(async () => {
    file = new FickleFile({ path: ':memory:' });
    clock = new ManualClock();
    const run = { tenant: 't', workflowId: 'w', runId: 'r' };
    const timers = new SqliteSchedulerStore(file);
    file.transaction(() => timers.write([{ kind: 'putTimer', row: { key: 't/w/r/1', run, seq: 1, dueMs: clock.now() } }]));
    deaths = [];
    shard = await EmbeddedShard.open({ file, bundles: new NoBundles(), sandbox: { build: 'none' } as unknown as Sandbox, clock, random: () => 0, snapshotKey: new Uint8Array(32), onFatal: (error) => void deaths.push(error.message) });
  });

  it('takes nothing is asked only now and then for what is due by itself, and at once for who asks', async () => {
    file.fault = 'unavailable';
    const before = file.asked;
    for (let ms = 0; ms < 90; ms++) {
      clock.advanceBy(1);
      await turns();
    }
    expect(file.asked - before).toBeLessThanOrEqual(2);
    await expect(shard.append([start('a')])).rejects.toMatchObject({ code: 'unavailable' });
    file.fault = undefined;
    await expect(shard.append([start('a')])).resolves.toMatchObject([{ kind: 'refused' }]);
    clock.advanceBy(1);
    await turns();
    expect(file.db.prepare('select count(*) as left from timer').get()).toEqual({ left: 0 });
    await shard.close();
  });

  it.each<StoreFaultKind>(['commitUnknown', 'staleOwner'])('says %s is not believed any more: nothing is told, and the shard is to be opened anew', async (fault) => {
    file.fault = fault;
    await expect(shard.append([start('a')])).rejects.toMatchObject({ code: 'unavailable' });
    expect(deaths).toEqual(['as told']);
    expect(file.isOpen).toBe(false);
    await expect(shard.append([start('b')])).rejects.toMatchObject({ code: 'draining' });
  });
});
