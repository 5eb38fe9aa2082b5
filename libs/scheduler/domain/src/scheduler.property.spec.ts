import { describe, expect, it } from '@jest/globals';
import type { SchedulerEffect, TaskAnswer } from '@perdure/contract';
import fc from 'fast-check';
import { SliceHarness, TENANT } from './testing/slice-harness.js';

const WORKERS = ['a', 'b', 'c'] as const;

type Step =
  | { readonly do: 'schedule'; readonly seqs: readonly number[]; readonly undo: boolean }
  | { readonly do: 'cancel'; readonly seq: number }
  | { readonly do: 'poll'; readonly worker: (typeof WORKERS)[number]; readonly slots: number; readonly lost: boolean; readonly forgets: boolean }
  | { readonly do: 'answer'; readonly pick: number; readonly kind: TaskAnswer['kind']; readonly twice: boolean }
  | { readonly do: 'advance'; readonly ms: number }
  | { readonly do: 'reset' | 'reopen' };

const step: fc.Arbitrary<Step> = fc.oneof(
  { weight: 3, arbitrary: fc.record({ do: fc.constant('schedule' as const), seqs: fc.uniqueArray(fc.integer({ min: 1, max: 12 }), { maxLength: 3 }), undo: fc.boolean() }) },
  { weight: 1, arbitrary: fc.record({ do: fc.constant('cancel' as const), seq: fc.integer({ min: 1, max: 12 }) }) },
  { weight: 6, arbitrary: fc.record({ do: fc.constant('poll' as const), worker: fc.constantFrom(...WORKERS), slots: fc.integer({ min: 0, max: 3 }), lost: fc.boolean(), forgets: fc.boolean() }) },
  { weight: 6, arbitrary: fc.record({ do: fc.constant('answer' as const), pick: fc.nat(), kind: fc.constantFrom('completed', 'failed', 'cancelled', 'accepted') as fc.Arbitrary<TaskAnswer['kind']>, twice: fc.boolean() }) },
  { weight: 4, arbitrary: fc.record({ do: fc.constant('advance' as const), ms: fc.constantFrom(10, 400, 1_000, 2_500, 11_000, 61_000) }) },
  { weight: 1, arbitrary: fc.record({ do: fc.constantFrom('reset' as const, 'reopen' as const) }) },
);

/** The worlds around the slice: workers that lose responses, die and answer late; a store that fails; a server that restarts. */
class World {
  readonly slice = new SliceHarness();
  readonly scheduled = new Set<string>();
  /** Every token ever handed out: zombies answer too. */
  readonly tokens: string[] = [];
  readonly #holding = new Map<string, Set<string>>(WORKERS.map((worker) => [worker, new Set()]));
  #sessions = 1;

  async take(move: Step): Promise<void> {
    const { slice } = this;
    if (move.do === 'schedule') await this.#schedule(move.seqs, move.undo);
    else if (move.do === 'cancel') await slice.batch([slice.cancel(move.seq)]);
    else if (move.do === 'poll') await this.#poll(move);
    else if (move.do === 'answer') await this.#answer(move);
    else if (move.do === 'advance') await slice.advance(move.ms);
    else if (move.do === 'reopen') await slice.reopen();
    else await slice.batch([slice.task(99)], { fail: true });
  }

  async #schedule(seqs: readonly number[], undo: boolean): Promise<void> {
    const fresh = seqs.filter((seq) => !this.scheduled.has(`${undo ? 'undo/' : ''}${seq}`));
    for (const seq of fresh) this.scheduled.add(`${undo ? 'undo/' : ''}${seq}`);
    const retry = { maxAttempts: 4, initialIntervalMs: 100, backoffCoefficient: 2, maxIntervalMs: 400 };
    await this.slice.batch(fresh.map((seq): SchedulerEffect => this.slice.task(seq, { retry, ...(seq % 3 === 0 ? { heartbeatTimeoutMs: 2_000 } : {}) }, { role: undo ? 'undo' : 'activity' })));
  }

  async #poll({ worker, slots, lost, forgets }: Step & { do: 'poll' }): Promise<void> {
    const holding = this.#holding.get(worker)!;
    if (forgets) holding.clear();
    const session = forgets ? String(++this.#sessions).padStart(5, '0') : '00000';
    const response = await this.slice.poll({ worker, session, slots, holding: [...holding] });
    for (const { token } of response.tasks) this.tokens.push(token);
    for (const { token } of lost ? [] : response.tasks) holding.add(token);
    for (const { token, reason } of response.cancel) if (reason === 'superseded') holding.delete(token);
    await this.slice.settle();
  }

  async #answer({ pick, kind, twice }: Step & { do: 'answer' }): Promise<void> {
    if (this.tokens.length === 0) return;
    const token = this.tokens[pick % this.tokens.length]!;
    const answer: TaskAnswer = kind === 'failed' ? { token, kind, error: { type: 'Error', message: 'boom' } } : { token, kind };
    await this.slice.answer(...(twice ? [answer, answer] : [answer]));
    if (kind !== 'accepted') for (const held of this.#holding.values()) held.delete(token);
  }

  /** No more worker misbehaves: everything must come to its end. */
  async finish(): Promise<void> {
    for (let i = 0; i < 200 && this.slice.tasks.rows.size > 0; i++) {
      const { tasks } = await this.slice.poll({ worker: 'good', session: '1', slots: 100, surgical: i % 2 === 1 });
      if (tasks.length > 0) await this.slice.answer(...tasks.map(({ token }): TaskAnswer => ({ token, kind: 'completed' })));
      await this.slice.advance(60_000);
    }
  }
}

const closedOnce = (world: World): void => {
  const { slice, scheduled } = world;
  const closed = [...slice.inputs.filter(({ kind }) => kind === 'activityClosed').map(({ id }) => id.split('/')[1]!), ...slice.undoClosings.map(({ undoSeq }) => `undo/${undoSeq}`)];
  expect(closed.length).toBe(new Set(closed).size);
  const open = [...slice.tasks.rows.values()].map(({ spec }) => `${spec.role === 'undo' ? 'undo/' : ''}${spec.seq}`);
  expect([...closed, ...open].sort()).toEqual([...scheduled].sort());
};

describe('Whatever the order of answers, timeouts, crashes, cancels and restarts', () => {
  it('each task closes exactly once, and none is lost', async () => {
    await fc.assert(
      fc.asyncProperty(fc.array(step, { maxLength: 60 }), async (steps) => {
        const world = new World();
        await world.slice.scheduler.open();
        for (const move of steps) {
          await world.take(move);
          closedOnce(world);
        }
        await world.finish();
        closedOnce(world);
        expect(world.slice.tasks.rows.size).toBe(0);
        expect(world.slice.scheduler.stats).toMatchObject({ tasks: 0, ready: 0 });
      }),
      { numRuns: 300 },
    );
  }, 60_000);

  it('every token ever handed out may answer in the end, and still each task closes once', async () => {
    await fc.assert(
      fc.asyncProperty(fc.array(step, { maxLength: 40 }), async (steps) => {
        const world = new World();
        await world.slice.scheduler.open();
        for (const move of steps) await world.take(move);
        const answers = world.tokens.map((token): TaskAnswer => ({ token, kind: 'completed' }));
        const receipts = world.slice.scheduler.answer(TENANT, answers);
        await world.slice.settle();
        await receipts;
        closedOnce(world);
      }),
      { numRuns: 200 },
    );
  }, 60_000);
});
