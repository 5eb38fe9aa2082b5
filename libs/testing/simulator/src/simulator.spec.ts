import { describe, expect, it } from '@jest/globals';
import { SHAPES, simulate } from './simulate.js';

const SEEDS = { mesh: 200, embedded: 100 };
const PARTS = SHAPES.flatMap((shape) => Array.from({ length: 5 }, (_, part) => [shape, part] as const));

describe('The simulated world', () => {
  it.each(PARTS)('keeps every invariant: %s, part %i', async (shape, part) => {
    for (let seed = part + 1; seed <= SEEDS[shape]; seed += 5) {
      const { violations, trace } = await simulate({ seed, shape });
      if (violations.length > 0) throw new Error(`seed ${seed}: ${violations.map(({ invariant, what }) => `${invariant}: ${what}`).join('\n')}\n${trace.slice(-60).join('\n')}`);
    }
  }, 120_000);

  it.each(SHAPES)('leaves the same trace for the same seed, byte for byte: %s', async (shape) => {
    for (const seed of [3, 120, 183]) {
      const [first, second] = [await simulate({ seed, shape }), await simulate({ seed, shape })];
      expect(first.trace.length).toBeGreaterThan(10);
      expect(second.trace.join('\n')).toBe(first.trace.join('\n'));
    }
  });

  it('is another for another seed', async () => {
    expect((await simulate({ seed: 1 })).trace).not.toEqual((await simulate({ seed: 2 })).trace);
  });
});
