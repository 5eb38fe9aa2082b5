import { describe, expect, it } from '@jest/globals';
import { disturbances, type Disturbance } from './chaos.js';

const first = (seed: number, count: number): readonly Disturbance[] => {
  const all = disturbances({ seed, gapMs: [10, 20], holdMs: [30, 40] });
  return Array.from({ length: count }, () => all.next().value);
};

describe('disturbances', () => {
  it('are the same for the same seed, and others for another', () => {
    expect(first(5, 50)).toEqual(first(5, 50));
    expect(first(5, 50)).not.toEqual(first(6, 50));
  });

  it('are of every sort, within their bounds', () => {
    const all = first(1, 300);
    expect([...new Set(all.map((each) => (each.do === 'cut' ? 'cut' : `${each.do} ${each.role}`)))].sort()).toEqual(['cut', 'hold ledger', 'hold server', 'hold worker', 'kill ledger', 'kill server', 'kill worker']);
    for (const each of all) {
      expect(each.thenMs).toBeGreaterThanOrEqual(10);
      expect(each.thenMs).toBeLessThanOrEqual(20);
      if (each.do === 'hold') expect(each.ms).toBeLessThanOrEqual(40);
    }
  });
});
