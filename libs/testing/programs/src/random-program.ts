import fc from 'fast-check';

/** What a workflow does, as data: the one generic workflow (`interpreter.ts`) carries it out. */
export type Step =
  | { readonly do: 'activity'; readonly id: number; readonly fails: number }
  /** Several at once: all of them, the first that settles, or the first that succeeds. */
  | { readonly do: 'all' | 'race' | 'any'; readonly id: number; readonly size: number; readonly fails: number }
  /** An activity against a timer. */
  | { readonly do: 'hurry'; readonly id: number; readonly fails: number; readonly ms: number }
  | { readonly do: 'sleep' | 'signal' | 'condition' | 'event' | 'filtered'; readonly ms: number }
  | { readonly do: 'draw'; readonly what: 'random' | 'now' | 'uuid' }
  /** State that only the realm's memory holds: maps, typed arrays, closures, generators, a regular expression's place… */
  | { readonly do: 'touch' | 'stream' | 'throw' | 'attributes' | 'self' | 'shield'; readonly id: number }
  /** A timer and an activity that nobody awaits. */
  | { readonly do: 'side'; readonly id: number; readonly ms: number }
  | { readonly do: 'child'; readonly id: number; readonly fails: number; readonly how: 'run' | 'signal' | 'cancel' | 'abandon' | 'leave' }
  | { readonly do: 'saga'; readonly id: number; readonly size: number; readonly fails: number }
  | { readonly do: 'continue' | 'fail' };

/** What happens to it. Those of one `append` arrive at one moment. */
export type Happening =
  | { readonly kind: 'answer'; readonly order: number }
  | { readonly kind: 'advance'; readonly ms: number }
  | { readonly kind: 'append'; readonly inputs: readonly Sent[] }
  | { readonly kind: 'publish'; readonly count: number };
export type Sent = 'signal' | 'update' | 'unknown' | 'cancel' | 'suspend' | 'resume' | 'terminate';

export interface RandomProgram {
  readonly steps: readonly Step[];
  readonly happenings: readonly Happening[];
}

const MINUTE_MS = 60_000;
const ms = fc.integer({ min: 1, max: 90 * MINUTE_MS });
const id = fc.nat(999);
const size = fc.integer({ min: 2, max: 4 });
/** How many attempts fail; of two that there are. */
const fails = fc.nat(2);
const one = <K extends string>(...kinds: K[]): fc.Arbitrary<K> => fc.constantFrom(...kinds);

const step: fc.Arbitrary<Step> = fc.oneof(
  { weight: 3, arbitrary: fc.record({ do: one('activity'), id, fails }) },
  { weight: 3, arbitrary: fc.record({ do: one('all', 'race', 'any'), id, size, fails }) },
  { weight: 1, arbitrary: fc.record({ do: one('hurry'), id, fails, ms }) },
  { weight: 5, arbitrary: fc.record({ do: one('sleep', 'signal', 'condition', 'event', 'filtered'), ms }) },
  { weight: 2, arbitrary: fc.record({ do: one('draw'), what: one('random', 'now', 'uuid') }) },
  { weight: 6, arbitrary: fc.record({ do: one('touch', 'stream', 'stream', 'throw', 'attributes', 'self', 'shield', 'shield'), id }) },
  { weight: 1, arbitrary: fc.record({ do: one('side'), id, ms }) },
  { weight: 3, arbitrary: fc.record({ do: one('child'), id, fails, how: one('run', 'signal', 'cancel', 'abandon', 'leave') }) },
  { weight: 3, arbitrary: fc.record({ do: one('saga'), id, size: fc.integer({ min: 1, max: 3 }), fails }) },
  { weight: 1, arbitrary: fc.record({ do: one('continue', 'continue', 'fail') }) },
);

/** A program that is suspended or ended early has little more to show: so these are few. */
const sent = fc.oneof(
  { weight: 30, arbitrary: one('signal', 'update', 'update', 'unknown') },
  { weight: 4, arbitrary: one('cancel', 'resume') },
  { weight: 1, arbitrary: one('terminate', 'suspend', 'suspend') },
);

const happening: fc.Arbitrary<Happening> = fc.oneof(
  { weight: 4, arbitrary: fc.record({ kind: one('answer'), order: fc.nat(999) }) },
  { weight: 2, arbitrary: fc.record({ kind: one('advance'), ms }) },
  { weight: 3, arbitrary: fc.record({ kind: one('append'), inputs: fc.array(sent, { minLength: 1, maxLength: 3 }) }) },
  { weight: 1, arbitrary: fc.record({ kind: one('publish'), count: fc.integer({ min: 1, max: 2 }) }) },
);

export const randomProgram: fc.Arbitrary<RandomProgram> = fc.record({
  steps: fc.array(step, { minLength: 4, maxLength: 12, size: 'max' }),
  happenings: fc.array(happening, { minLength: 8, maxLength: 16, size: 'max' }),
});

/** Puts things in an order that the number names. */
export const inOrder = <T>(things: readonly T[], order: number): T[] => {
  const left = [...things];
  const out: T[] = [];
  for (let n = order; left.length > 0; n = (n * 31 + 7) % 1009) out.push(...left.splice(n % left.length, 1));
  return out;
};
