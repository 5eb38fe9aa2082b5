import type { Delivery } from './payloads.js';

/** Mulberry32: small, seeded, good enough to shuffle with. */
export const seeded = (seed: number): (() => number) => {
  let state = seed >>> 0;
  return () => {
    state = (state + 0x6d2b79f5) >>> 0;
    let mixed = Math.imul(state ^ (state >>> 15), state | 1);
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61);
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32;
  };
};

export const shuffled = <T>(items: readonly T[], random: () => number): T[] => {
  const result = [...items];
  for (let last = result.length - 1; last > 0; last--) {
    const other = Math.floor(random() * (last + 1));
    [result[last], result[other]] = [result[other]!, result[last]!];
  }
  return result;
};

/**
 * Every delivery twice, in disorder. Half of them come before the runs exist, each of these with its repeat before or after by the toss of a coin; the others come
 * twice while the runs wait.
 */
export const inDisorder = (deliveries: readonly Delivery[], random: () => number): { readonly before: Delivery[]; readonly after: Delivery[] } => {
  const order = shuffled(deliveries, random);
  const early = order.slice(0, Math.floor(order.length / 2));
  const late = order.slice(early.length);
  const isRepeatedEarly = early.map(() => random() < 0.5);
  return {
    before: shuffled([...early, ...early.filter((_, index) => isRepeatedEarly[index])], random),
    after: shuffled([...late, ...late, ...early.filter((_, index) => !isRepeatedEarly[index])], random),
  };
};
