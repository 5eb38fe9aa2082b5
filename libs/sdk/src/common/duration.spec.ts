import { describe, expect, it } from '@jest/globals';
import { LIMITS } from '@perdure/contract';
import { durationMs, type Duration } from './duration.js';

describe('durationMs', () => {
  const good: readonly (readonly [Duration, number])[] = [
    ['30s', 30_000], ['7 days', 604_800_000], ['1.5h', 5_400_000], ['250 ms', 250], ['2 weeks', 1_209_600_000], ['0s', 0],
    [0, 0], [1.4, 1], [LIMITS.durationMsMax, LIMITS.durationMsMax], [{ days: 7 }, 604_800_000], [{ hours: 1, minutes: 30, seconds: undefined }, 5_400_000], [{ milliseconds: 5 }, 5],
  ];
  it.each(good)('%j is %d ms', (duration, expected) => expect(durationMs(duration)).toBe(expected));

  const bad: readonly (readonly [unknown, string])[] = [
    ['', 'write it as'], ['30', 'write it as'], ['soon', 'write it as'], ['1 fortnight', 'write it as'], ['1h 30m', 'write it as'], ['9'.repeat(99) + 's', 'longer than ten years'], ['x'.repeat(10_000), 'write it as'],
    ['-5s', 'negative'], [-1, 'negative'], [Number.NaN, 'write it as'], [Number.POSITIVE_INFINITY, 'longer than ten years'], ['11y', 'longer than ten years'],
    [null, 'write it as'], [undefined, 'write it as'], [true, 'write it as'], [{}, 'write it as'], [[], 'write it as'], [5n, 'write it as'],
    [{ days: -1, hours: 48 }, 'days is negative'], [{ days: '7' }, 'days is not a number'], [{ fortnights: 1 }, 'unknown unit "fortnights"'], [{ toString: 1 }, 'unknown unit'],
  ];
  it.each(bad)('%p is refused', (duration, why) => {
    const attempt = (): number => durationMs(duration as Duration);
    expect(attempt).toThrow(expect.objectContaining({ code: 'invalid-duration' }));
    expect(attempt).toThrow(why);
  });
});
