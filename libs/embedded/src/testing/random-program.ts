import fc from 'fast-check';

/** What a workflow does, as data: the one generic workflow of the test interprets it. */
export type Step =
  | { readonly do: 'activity'; readonly id: number; readonly fails: number }
  | { readonly do: 'group'; readonly id: number; readonly size: number; readonly fails: number }
  | { readonly do: 'sleep'; readonly ms: number }
  | { readonly do: 'signal'; readonly ms: number }
  | { readonly do: 'event'; readonly ms: number }
  | { readonly do: 'draw'; readonly what: 'random' | 'now' | 'uuid' }
  | { readonly do: 'child'; readonly id: number; readonly fails: number }
  | { readonly do: 'saga'; readonly id: number; readonly size: number; readonly fails: number }
  | { readonly do: 'continue' };

/** What happens to it. Those of one group arrive at one moment. */
export type Happening = { readonly kind: 'answer'; readonly order: number } | { readonly kind: 'advance'; readonly ms: number } | { readonly kind: 'append'; readonly inputs: readonly ('signal' | 'update' | 'unknown')[] } | { readonly kind: 'publish'; readonly count: number };

export interface RandomProgram {
  readonly steps: readonly Step[];
  readonly happenings: readonly Happening[];
}

const MINUTE_MS = 60_000;
const ms = fc.integer({ min: 1, max: 90 * MINUTE_MS });
const id = fc.nat(999);
/** How many attempts fail; of two that there are. */
const fails = fc.nat(2);

const step: fc.Arbitrary<Step> = fc.oneof(
  fc.record({ do: fc.constant('activity' as const), id, fails }),
  fc.record({ do: fc.constant('group' as const), id, size: fc.integer({ min: 2, max: 4 }), fails }),
  fc.record({ do: fc.constant('sleep' as const), ms }),
  fc.record({ do: fc.constant('signal' as const), ms }),
  fc.record({ do: fc.constant('event' as const), ms }),
  fc.record({ do: fc.constant('draw' as const), what: fc.constantFrom('random' as const, 'now' as const, 'uuid' as const) }),
  fc.record({ do: fc.constant('child' as const), id, fails }),
  fc.record({ do: fc.constant('saga' as const), id, size: fc.integer({ min: 1, max: 3 }), fails }),
  fc.constant({ do: 'continue' as const }),
);

const happening: fc.Arbitrary<Happening> = fc.oneof(
  { weight: 4, arbitrary: fc.record({ kind: fc.constant('answer' as const), order: fc.nat(999) }) },
  { weight: 2, arbitrary: fc.record({ kind: fc.constant('advance' as const), ms }) },
  { weight: 2, arbitrary: fc.record({ kind: fc.constant('append' as const), inputs: fc.array(fc.constantFrom('signal' as const, 'update' as const, 'update' as const, 'unknown' as const), { minLength: 1, maxLength: 3 }) }) },
  { weight: 1, arbitrary: fc.record({ kind: fc.constant('publish' as const), count: fc.integer({ min: 1, max: 2 }) }) },
);

/** The same seed gives the same programs, and the first of many are those of few. */
export const randomPrograms = (seed: number, count: number): readonly RandomProgram[] =>
  fc.sample(fc.record({ steps: fc.array(step, { minLength: 3, maxLength: 9, size: 'max' }), happenings: fc.array(happening, { minLength: 6, maxLength: 14, size: 'max' }) }), { seed, numRuns: count });

/** Puts things in an order that the number names. */
export const inOrder = <T>(things: readonly T[], order: number): T[] => {
  const left = [...things];
  const out: T[] = [];
  for (let n = order; left.length > 0; n = (n * 31 + 7) % 1009) out.push(...left.splice(n % left.length, 1));
  return out;
};

export const INTERPRETER = `
import { activities, continueAsNew, nextSignal, onQuery, onUpdate, receive, runChild, saga, sleep, workflowInfo } from '@perdure/sdk/workflow';
const act = activities({ retry: { maxAttempts: 2, initialInterval: '1s' } });
const draw = { random: () => Math.random(), now: () => Date.now(), uuid: () => crypto.randomUUID() };
const caught = async (work) => { try { return await work(); } catch (error) { return error.name; } };

export async function small({ id, fails }) { return [await caught(() => act.one({ id, fails })), Math.random()]; }

export async function interpret({ steps, from = 0, log = [], draws = [], handled = [] }) {
  onQuery('log', () => [log.length, draws.length, handled.length]);
  onUpdate('add', async (n) => {
    draws.push(['update', Math.random()]);
    const sum = await caught(() => act.add({ id: 'u' + n, fails: n % 3 }));
    handled.push([n, sum]);
    return sum;
  });
  for (let at = from; at < steps.length; at++) {
    const step = steps[at];
    const id = at + ':' + step.id;
    const note = (value) => log.push([at, step.do, value]);
    switch (step.do) {
      case 'activity': note(await caught(() => act.one({ id, fails: step.fails }))); break;
      case 'group': note(await Promise.all(Array.from({ length: step.size }, (_, i) => caught(() => act.part({ id: id + '.' + i, fails: (step.fails + i) % 3 }))))); break;
      case 'sleep': await sleep(step.ms); note(Date.now() > 0); break;
      case 'signal': note(await caught(() => nextSignal('go', { timeout: step.ms }))); break;
      case 'event': note(await caught(() => receive('scan', { match: { tracking: 'T1' }, timeout: step.ms }))); break;
      case 'draw': draws.push([step.what, draw[step.what]()]); break;
      case 'child': note((await caught(() => runChild(small, { workflowId: 'child-' + id, input: { id, fails: step.fails } })))); break;
      case 'saga': {
        const undo = saga();
        for (let i = 0; i < step.size; i++) note(await caught(() => undo.run(act.book, { id: id + '.' + i, fails: (step.fails + i) % 3 }, act.unbook)));
        if (step.id % 2 === 0) note(await caught(() => undo.compensate()));
        break;
      }
      case 'continue': if (from === 0) return continueAsNew({ steps, from: at + 1, log, draws, handled }); break;
    }
  }
  return { log, draws, handled };
}
`;
