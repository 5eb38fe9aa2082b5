import { describe, expect, it } from '@jest/globals';
import { lasting, since } from './time.js';

describe('since', () => {
  it.each([[0, '+0ms'], [1_204, '+1.204s'], [200_000, '+3m 20s'], [180_000, '+3m'], [7 * 86_400_000, '+7d'], [90 * 3_600_000, '+3d 18h']])('%i ms is %s', (ms, text) => {
    expect(since(ms)).toBe(text);
  });
});

describe('lasting', () => {
  it.each([[20_000, '20s'], [1_500, '1.5s'], [10, '10ms'], [7 * 86_400_000, '7d']])('%i ms is %s', (ms, text) => {
    expect(lasting(ms)).toBe(text);
  });
});
