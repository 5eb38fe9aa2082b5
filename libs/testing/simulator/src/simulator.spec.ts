import { describe, expect, it } from '@jest/globals';
import { simulate } from './simulate.js';

const SEEDS = 200;

describe('The simulated world', () => {
  it.each(Array.from({ length: 8 }, (_, index) => index))(`keeps every invariant (part %i of ${SEEDS} seeds)`, async (part) => {
    for (let seed = part + 1; seed <= SEEDS; seed += 8) {
      const { violations, trace } = await simulate({ seed });
      if (violations.length > 0) throw new Error(`seed ${seed}: ${violations.map(({ invariant, what }) => `${invariant}: ${what}`).join('\n')}\n${trace.slice(-60).join('\n')}`);
    }
  }, 120_000);

  it('leaves the same trace for the same seed, byte for byte', async () => {
    for (const seed of [3, 62, 183]) {
      const [first, second] = [await simulate({ seed }), await simulate({ seed })];
      expect(first.trace.length).toBeGreaterThan(50);
      expect(second.trace.join('\n')).toBe(first.trace.join('\n'));
    }
  });

  it('is another for another seed', async () => {
    expect((await simulate({ seed: 1 })).trace).not.toEqual((await simulate({ seed: 2 })).trace);
  });
});
