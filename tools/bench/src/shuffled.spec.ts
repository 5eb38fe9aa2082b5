import { describe, expect, it } from '@jest/globals';
import { shuffled } from './shuffled.js';

describe('shuffled', () => {
  const values = Array.from({ length: 100 }, (_, index) => index);

  it('keeps each value once, in an order that the seed decides', () => {
    expect(shuffled(values, 7).sort((a, b) => a - b)).toEqual(values);
    expect(shuffled(values, 7)).toEqual(shuffled(values, 7));
    expect(shuffled(values, 7)).not.toEqual(shuffled(values, 8));
    expect(shuffled(values, 7)).not.toEqual(values);
  });
});
