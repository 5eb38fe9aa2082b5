import { describe, expect, it } from '@jest/globals';
import { ManualClock } from '@perdure/clock';
import { ETCD_LIMITS } from './etcd-limits.js';
import { Patience } from './patience.js';

describe('Patience', () => {
  const clock = new ManualClock();
  const patienceOf = (random: number): Patience => new Patience({ clock, random: () => random, limits: ETCD_LIMITS });
  /** How long it waits after each failure. */
  const waits = async (patience: Patience, count: number): Promise<number[]> => {
    const found: number[] = [];
    for (let index = 0; index < count; index += 1) {
      const waited = patience.afterFailure();
      const beganMs = clock.now();
      clock.advanceTo(clock.next()!);
      await waited;
      found.push(clock.now() - beganMs);
    }
    return found;
  };

  it('waits longer with each failure in a row, up to a limit, and shortly again after a success', async () => {
    const patience = patienceOf(1);
    expect(await waits(patience, 6)).toEqual([200, 400, 800, 1_600, 2_000, 2_000]);
    patience.succeeded();
    expect(await waits(patience, 2)).toEqual([200, 400]);
  });

  it('spreads those who wait over half of the wait', async () => {
    expect(await waits(patienceOf(0), 5)).toEqual([100, 200, 400, 800, 1_000]);
    expect(await waits(patienceOf(0.5), 2)).toEqual([150, 300]);
  });

  it('ends at once when it is stopped, and waits no more', async () => {
    const patience = patienceOf(1);
    const waiting = patience.pause(1_000);
    patience.stop();
    await waiting;
    await patience.pause(1_000);
    expect(clock.next()).toBeUndefined();
  });
});
