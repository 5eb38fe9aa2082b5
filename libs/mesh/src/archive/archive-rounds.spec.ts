import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { ManualClock } from '@perdure/clock';
import { PerdureError } from '@perdure/contract';
import type { ArchiveStep, SliceName } from '@perdure/delivery';
import { Registry } from 'prom-client';
import { MESH_LIMITS } from '../mesh-limits.js';
import { ArchiveMetrics } from './archive-metrics.js';
import { ArchiveRounds } from './archive-rounds.js';

interface Owner {
  readonly slice: SliceName;
  readonly plan: (ArchiveStep | PerdureError)[];
  /** Its steps wait for it. */
  gate?: Promise<void>;
}

const MORE: ArchiveStep = { records: 10, isMore: true };
const LAST: ArchiveStep = { records: 3, isMore: false };
const NOTHING: ArchiveStep = { records: 0, isMore: false };
const away = (): PerdureError => new PerdureError('unavailable', 'away');

describe('ArchiveRounds', () => {
  let clock: ManualClock;
  let owners: Owner[];
  let told: string[];
  let made: SliceName[];
  let running: number;
  let rounds: ArchiveRounds<Owner>;
  beforeEach(() => {
    clock = new ManualClock();
    owners = [];
    told = [];
    made = [];
    running = 0;
    rounds = new ArchiveRounds<Owner>({
      clock, random: () => 1, owners: () => owners,
      archiver: (owner) => {
        made.push(owner.slice);
        return {
          waiting: 7,
          step: async () => {
            expect(++running).toBe(1);
            await owner.gate;
            running -= 1;
            const next = owner.plan.shift() ?? NOTHING;
            if (next instanceof PerdureError) throw next;
            return next;
          },
        };
      },
      archived: (slice, records) => told.push(`${slice} ${records}`),
      failed: (slice, error, isFirst) => told.push(`${slice} ${error.message}${isFirst ? '' : ' again'}`),
    });
  });
  afterEach(() => rounds.stop());

  const settle = async (): Promise<void> => {
    for (let turns = 0; turns < 20; turns++) await new Promise((resolve) => setImmediate(resolve));
  };
  const pass = async (ms: number): Promise<void> => {
    for (const until = clock.now() + ms; clock.now() < until; ) {
      clock.advanceTo(Math.min(until, clock.next() ?? until));
      await settle();
    }
  };

  it('takes what there is by turns, one segment at a time', async () => {
    owners = [{ slice: 'history/0', plan: [MORE, LAST] }, { slice: 'history/1', plan: [MORE, MORE, LAST] }];
    await pass(MESH_LIMITS.archiveEveryMs);
    expect(told).toEqual(['history/0 10', 'history/1 10', 'history/0 3', 'history/1 10', 'history/1 3']);
    expect([made, rounds.waiting]).toEqual([['history/0', 'history/1'], 14]);
  });

  it('leaves one that fails alone for a while, and goes on with the others', async () => {
    owners = [{ slice: 'history/0', plan: [away(), away(), LAST, away()] }, { slice: 'history/1', plan: [LAST] }];
    await pass(MESH_LIMITS.archiveEveryMs);
    expect(told).toEqual(['history/0 away', 'history/1 3']);
    await pass(MESH_LIMITS.archiveAgainAfterMs * 5);
    // After a success the next failure is the first of its row.
    expect(told.slice(2)).toEqual(['history/0 away again', 'history/0 3', 'history/0 away']);
  });

  it('waits at the longest as its limit says', async () => {
    owners = [{ slice: 'history/0', plan: Array.from({ length: 20 }, away) }];
    await pass(MESH_LIMITS.archiveAgainAfterMsMax * 10);
    expect(told.length).toBeGreaterThan(10);
    expect(told.length).toBeLessThan(20);
  });

  it('begins anew with an owner who is a new one of the slice', async () => {
    owners = [{ slice: 'history/0', plan: [] }];
    await pass(MESH_LIMITS.archiveEveryMs);
    owners = [{ slice: 'history/0', plan: [LAST] }];
    await pass(MESH_LIMITS.archiveEveryMs);
    expect([made, told, rounds.waiting]).toEqual([['history/0', 'history/0'], ['history/0 3'], 7]);
  });

  it('does no more once it is stopped, and has then done what was in hand', async () => {
    let open = (): void => undefined;
    const owner: Owner = { slice: 'history/0', plan: [MORE, LAST], gate: new Promise((resolve) => (open = resolve)) };
    owners = [owner, { slice: 'history/1', plan: [LAST] }];
    await pass(MESH_LIMITS.archiveEveryMs);
    let isStopped = false;
    const stopping = rounds.stop().then(() => (isStopped = true));
    await settle();
    expect(isStopped).toBe(false);
    open();
    await stopping;
    await pass(MESH_LIMITS.archiveEveryMs * 3);
    expect(told).toEqual(['history/0 10']);
  });
});

describe('ArchiveMetrics', () => {
  it('has what was archived, what waits and what failed', async () => {
    const registry = new Registry();
    const metrics = new ArchiveMetrics(registry, () => 42);
    metrics.archived(10);
    metrics.archived(3);
    metrics.failed();
    const lines = (await registry.metrics()).split('\n').filter((line) => line !== '' && !line.startsWith('#'));
    expect(lines).toEqual(['perdure_log_archived_records_total 13', 'perdure_log_archived_segments_total 2', 'perdure_log_archive_failures_total 1', 'perdure_log_unarchived_records 42']);
  });
});
