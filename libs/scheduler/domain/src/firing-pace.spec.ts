import { describe, expect, it } from '@jest/globals';
import { FiringPace } from './firing-pace.js';

const paced = (others: readonly number[], timersMaxPerBatch = 32): number[] => {
  const pace = new FiringPace({ timersMaxPerBatch });
  return others.map((count) => pace.next(count));
};

describe('FiringPace', () => {
  it('gives timers half of what others have, over the batches', () => {
    expect(paced([1, 1, 1, 1])).toEqual([0, 1, 0, 1]);
    expect(paced([3, 3, 8, 40, 1_000])).toEqual([1, 2, 4, 20, 32]);
  });

  it('rises while timers are alone, up to the limit, and falls at once when others come', () => {
    expect(paced([0, 0, 0, 0, 0, 0, 0, 0, 1, 0, 0, 0, 0], 2)).toEqual([1, 1, 1, 2, 2, 2, 2, 2, 0, 1, 1, 1, 2]);
  });
});
