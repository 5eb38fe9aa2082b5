import { describe, expect, it } from '@jest/globals';
import { ManualClock } from '../manual-clock.js';
import { passTime } from './pass-time.js';

describe('Time that passes', () => {
  it('lets what a step brings about set the next alarm', async () => {
    const clock = new ManualClock(0);
    const soundedMs: number[] = [];
    const again = (): void => {
      clock.at(clock.now() + 25, () => {
        soundedMs.push(clock.now());
        void Promise.resolve().then(again);
      });
    };
    again();
    await passTime(clock, { until: () => soundedMs.length === 3, stepMs: 5 });
    expect(soundedMs).toEqual([25, 50, 75]);
  });

  it('ends when something never holds, and names it', async () => {
    await expect(passTime(new ManualClock(), { until: () => false, why: 'pigs fly' })).rejects.toThrow('never: pigs fly');
  });
});
