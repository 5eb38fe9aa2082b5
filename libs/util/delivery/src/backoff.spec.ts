import { describe, expect, it } from '@jest/globals';
import { ManualClock } from '@perdure/clock';
import { Backoff } from './backoff.js';

describe('Backoff', () => {
  const clock = new ManualClock();
  const backoffOf = (random: number): Backoff => new Backoff({ clock, random: () => random, limits: { retryAfterMs: 200, retryAfterMsMax: 2_000 } });
  /** How long it waits after each failure. */
  const waits = async (backoff: Backoff, count: number): Promise<number[]> => {
    const found: number[] = [];
    for (let index = 0; index < count; index += 1) {
      const waited = backoff.afterFailure();
      const beganMs = clock.now();
      clock.advanceTo(clock.next()!);
      await waited;
      found.push(clock.now() - beganMs);
    }
    return found;
  };

  it('waits longer with each failure in a row, up to a limit, and shortly again after a success', async () => {
    const backoff = backoffOf(1);
    expect(await waits(backoff, 6)).toEqual([200, 400, 800, 1_600, 2_000, 2_000]);
    backoff.succeeded();
    expect(await waits(backoff, 2)).toEqual([200, 400]);
  });

  it('spreads those who wait over half of the wait', async () => {
    expect(await waits(backoffOf(0), 5)).toEqual([100, 200, 400, 800, 1_000]);
    expect(await waits(backoffOf(0.5), 2)).toEqual([150, 300]);
  });

  it('ends at once when it is stopped, and waits no more', async () => {
    const backoff = backoffOf(1);
    const waiting = backoff.pause(1_000);
    backoff.stop();
    await waiting;
    await backoff.pause(1_000);
    expect(clock.next()).toBeUndefined();
  });
});
