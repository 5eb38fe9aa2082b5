import { describe, expect, it } from '@jest/globals';
import { concat, percentile, ratioOf, spreadOf } from './statistics.js';

describe('statistics', () => {
  it('takes percentiles by nearest rank', () => {
    const hundred = Float64Array.from({ length: 100 }, (_, index) => index + 1);
    expect([0, 0.5, 0.95, 0.99, 1].map((share) => percentile(hundred, share))).toEqual([1, 50, 95, 99, 100]);
    expect([0.5, 0.99].map((share) => percentile([7], share))).toEqual([7, 7]);
    expect(percentile([], 0.5)).toBeNaN();
  });

  it('does not ask for order, and leaves what it was given', () => {
    const values = Float64Array.of(10, 9, 100, 1);
    expect(spreadOf(values)).toEqual({ p50: 9, p95: 100, p99: 100, max: 100 });
    expect([...values]).toEqual([10, 9, 100, 1]);
  });

  it('puts windows together', () => expect([...concat([Float64Array.of(1, 2), Float64Array.of(), Float64Array.of(3)])]).toEqual([1, 2, 3]));

  it('compares only what there is', () => {
    expect(ratioOf(10, 4)).toBe(2.5);
    expect(ratioOf(10, 0)).toBeUndefined();
    expect(ratioOf(undefined, 4)).toBeUndefined();
    expect(ratioOf(Number.NaN, 4)).toBeUndefined();
  });
});
