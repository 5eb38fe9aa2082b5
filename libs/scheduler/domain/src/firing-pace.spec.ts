import { describe, expect, it } from '@jest/globals';
import { FiringPace } from './firing-pace.js';

describe('FiringPace', () => {
  it('gives timers half of what others have, and never less than one', () => {
    const pace = new FiringPace({ timersMaxPerBatch: 32 });
    expect([1, 2, 3, 4, 9, 40, 1_000].map((others) => pace.next(others))).toEqual([1, 1, 1, 2, 4, 20, 32]);
  });

  it('rises while timers are alone, up to the limit, and falls at once when others come', () => {
    const pace = new FiringPace({ timersMaxPerBatch: 4 });
    expect([0, 0, 0, 0, 0, 1, 0, 0].map((others) => pace.next(others))).toEqual([1, 2, 3, 4, 4, 1, 1, 2]);
  });
});
