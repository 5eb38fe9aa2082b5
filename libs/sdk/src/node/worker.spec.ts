import { describe, expect, it } from '@jest/globals';
import { Worker } from './worker.js';

describe('Worker', () => {
  it.each([0, -1, 1.5, Number.NaN, 1_001])('refuses %p slots, with which it would take nothing or be refused', (slots) => {
    expect(() => new Worker({ activities: { a: () => 1 }, slots })).toThrow(RangeError);
  });
});
