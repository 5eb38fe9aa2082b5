import assert from 'node:assert/strict';
import { beforeEach, describe, expect, it } from '@jest/globals';
import { LIMITS, type ActivityOptions, type CompensationEffect, type Input, type Outcome, type RollbackStep, type SchedulerEffect } from '@perdure/contract';
import fc from 'fast-check';
import { Compensator } from './compensator.js';
import { MemorySagaStore } from './testing/memory-saga-store.js';

const options: ActivityOptions = { queue: 'default', startToCloseTimeoutMs: 1, retry: { maxAttempts: 1, initialIntervalMs: 1, backoffCoefficient: 1, maxIntervalMs: 1 } };
const run = { tenant: 'acme', workflowId: 'w', runId: 'r' };
const step = (undoSeq: number, name: string): RollbackStep => ({ undoSeq, saga: 1, activitySeq: undoSeq * 10, name, options, undo: { idempotencyKey: `k/${undoSeq}` } });
const rollback = (...steps: RollbackStep[]): CompensationEffect => ({ to: 'compensation', kind: 'rollback', run, seq: 5, steps, cause: 'code', bundle: 'b', workflowType: 't', at: 1 });
const completed: Outcome = { status: 'completed' };
const failed: Outcome = { status: 'failed', error: { type: 'Error', message: 'no refund' } };

describe('Compensator', () => {
  let store: MemorySagaStore;
  let compensator: Compensator;
  const commit = async () => {
    await store.commit(compensator.takeChanges());
    return { asked: compensator.takeEffects().map((effect) => ('name' in effect ? effect.name : effect.kind)), answered: compensator.takeInputs() };
  };

  beforeEach(async () => {
    store = new MemorySagaStore();
    compensator = await Compensator.open(store);
  });

  it('runs the steps one after the other and answers once', async () => {
    compensator.receive([rollback(step(2, 'refund'), step(1, 'release'))]);
    expect(await commit()).toEqual({ asked: ['refund'], answered: [] });
    compensator.receive([rollback(step(2, 'refund'), step(1, 'release'))]);
    expect(await commit()).toEqual({ asked: [], answered: [] });
    compensator.closed([{ run, undoSeq: 2, outcome: completed }], 2);
    expect((await commit()).asked).toEqual(['release']);
    compensator.closed([{ run, undoSeq: 2, outcome: completed }], 3);
    expect((await commit()).asked).toEqual([]);
    compensator.closed([{ run, undoSeq: 1, outcome: completed }], 4);
    expect((await commit()).answered).toMatchObject([{ kind: 'compensated', id: 'r/5/compensated', seq: 5, outcome: completed }]);
    expect(compensator.running).toBe(0);
    expect([...store.audit.values()].map(({ kind, step: of }) => [kind, of?.name])).toEqual([['rollbackStarted', undefined], ['stepClosed', 'refund'], ['stepClosed', 'release'], ['rollbackEnded', undefined]]);
  });

  it('goes on after a step that failed, and says which', async () => {
    compensator.receive([rollback(step(2, 'refund'), step(1, 'release'))]);
    compensator.closed([{ run, undoSeq: 2, outcome: failed }], 2);
    compensator.closed([{ run, undoSeq: 1, outcome: completed }], 3);
    const { asked, answered } = await commit();
    expect(asked).toEqual(['refund', 'release']);
    expect(answered).toMatchObject([{ outcome: { status: 'failed', error: { type: 'CompensationFailed', message: expect.stringContaining('refund (for activity 20): no refund') as unknown as string } } }]);
  });

  it('goes on from its rows after a restart', async () => {
    compensator.receive([rollback(step(3, 'c'), step(2, 'b'), step(1, 'a'))]);
    compensator.closed([{ run, undoSeq: 3, outcome: completed }], 2);
    await commit();
    compensator.closed([{ run, undoSeq: 2, outcome: failed }], 3);
    await compensator.reset();
    compensator.closed([{ run, undoSeq: 2, outcome: completed }], 4);
    expect((await commit()).asked).toEqual(['a']);
    expect(compensator.running).toBe(1);
  });

  it('answers at once when there is nothing to undo', async () => {
    compensator.receive([rollback()]);
    expect((await commit()).answered).toMatchObject([{ outcome: completed }]);
    expect(compensator.running).toBe(0);
  });

  it('drops a rollback asked for again after it ended, also after a restart, and forgets it in the end', async () => {
    compensator.receive([rollback(step(1, 'release'))]);
    compensator.closed([{ run, undoSeq: 1, outcome: completed }], 2);
    compensator.receive([rollback(step(1, 'release'))]);
    expect(await commit()).toMatchObject({ asked: ['release'], answered: [{ id: 'r/5/compensated' }] });
    await compensator.reset();
    compensator.receive([rollback(step(1, 'release'))]);
    expect(await commit()).toEqual({ asked: [], answered: [] });
    expect(compensator.running).toBe(0);
    compensator.receive([{ ...rollback(), seq: 6, at: 2 + LIMITS.eventDedupeMs }]);
    await commit();
    expect([...store.rollbacks.values()].map(({ request }) => request.seq)).toEqual([6]);
  });

  it('keeps of a step that went well only that it did', async () => {
    compensator.receive([rollback(step(2, 'refund'), step(1, 'release'))]);
    compensator.closed([{ run, undoSeq: 2, outcome: { ...completed, value: { much: 'data' } } }], 2);
    await commit();
    expect([...store.rollbacks.values()]).toMatchObject([{ done: [{ undoSeq: 2, outcome: completed }] }]);
    expect([...store.rollbacks.values()][0]!.done[0]!.outcome).not.toHaveProperty('value');
  });

  it('remembers so many ended rollbacks, the newest', async () => {
    compensator = await Compensator.open(store, { endedMax: 2 });
    compensator.receive([1, 2, 3].map((seq) => ({ ...rollback(), seq })));
    await commit();
    expect([...store.rollbacks.values()].map(({ request }) => request.seq)).toEqual([2, 3]);
  });

  it('keeps of an ended rollback no more than that it was', async () => {
    compensator.receive([rollback(step(1, 'release'))]);
    compensator.closed([{ run, undoSeq: 1, outcome: completed }], 2);
    await commit();
    expect([...store.rollbacks.values()]).toEqual([{ key: expect.any(String), order: 1, request: expect.objectContaining({ steps: [] }), done: [], endedAt: 2 }]);
  });

  it('runs a step that two rollbacks of a run share once, and both go on from it', async () => {
    compensator.receive([rollback(step(1, 'release')), { ...rollback(step(1, 'release'), step(0, 'cancel')), seq: 0, cause: 'conflict' }]);
    expect((await commit()).asked).toEqual(['release']);
    compensator.closed([{ run, undoSeq: 1, outcome: completed }], 2);
    expect(await commit()).toMatchObject({ asked: ['cancel'], answered: [{ seq: 5, outcome: completed }] });
    compensator.closed([{ run, undoSeq: 0, outcome: completed }], 3);
    expect(await commit()).toMatchObject({ asked: [], answered: [{ seq: 0, outcome: completed }] });
  });

  it('audits each step: what it took back, why, how it went and in how many attempts', async () => {
    compensator.receive([rollback(step(2, 'refund'))]);
    compensator.closed([{ run, undoSeq: 2, outcome: { ...completed, value: 'receipt' }, attempts: 3 }], 7);
    await commit();
    expect([...store.audit.values()][1]).toEqual({ id: 'r/5/stepClosed/2', run, at: 7, cause: 'code', kind: 'stepClosed', step: { undoSeq: 2, name: 'refund', activitySeq: 20 }, outcome: { ...completed, value: 'receipt' }, attempts: 3 });
  });

  it('names the failed steps as data, a bounded number of them', async () => {
    const steps = Array.from({ length: 150 }, (_, index) => step(150 - index, `undo${150 - index}`));
    compensator.receive([rollback(...steps)]);
    for (const { undoSeq } of steps) compensator.closed([{ run, undoSeq, outcome: failed }], 2);
    const [answer] = (await commit()).answered as Extract<Input, { kind: 'compensated' }>[];
    assert(answer?.outcome.status === 'failed');
    const { message, details, cause } = answer.outcome.error;
    expect(message).toMatch(/^150 of 150 undo steps failed: undo150 \(for activity 1500\): no refund; .* and 147 more$/);
    expect(details).toHaveLength(100);
    expect(details).toContainEqual({ undoSeq: 149, name: 'undo149', activitySeq: 1490, status: 'failed', message: 'no refund' });
    expect(cause).toMatchObject({ message: 'no refund' });
  });

  it('runs every step once, in order, one at a time per rollback, whatever is repeated and whenever it starts anew', async () => {
    const move = fc.oneof(
      fc.record({ do: fc.constant('ask' as const), seq: fc.nat(3) }),
      fc.record({ do: fc.constant('close' as const), which: fc.nat(9), fails: fc.boolean() }),
      fc.record({ do: fc.constant('closeAgain' as const), which: fc.nat(9) }),
      fc.record({ do: fc.constant('restart' as const) }),
      fc.record({ do: fc.constant('failedBatch' as const), seq: fc.nat(3) }),
    );
    /** Steps of rollback n are numbered n1, n2… */
    const rollbackOf = (seq: number): CompensationEffect => ({ ...rollback(...Array.from({ length: seq }, (_, index) => step(seq * 10 + seq - index, 'undo'))), seq });
    await fc.assert(
      fc.asyncProperty(fc.array(move, { maxLength: 60, size: 'max' }), async (moves) => {
        store = new MemorySagaStore();
        compensator = await Compensator.open(store);
        const asked: number[] = [];
        const closed: number[] = [];
        const answered: number[] = [];
        const wanted = new Set<number>();
        const take = async (): Promise<void> => {
          await store.commit(compensator.takeChanges());
          asked.push(...compensator.takeEffects().map((effect) => (effect as Extract<SchedulerEffect, { kind: 'scheduleTask' }>).seq));
          answered.push(...compensator.takeInputs().map((input) => (input as Extract<Input, { kind: 'compensated' }>).seq));
          compensator.committed();
        };
        for (const each of moves) {
          const open = asked.filter((undoSeq) => !closed.includes(undoSeq));
          if (each.do === 'ask') {
            compensator.receive([rollbackOf(each.seq)]);
            wanted.add(each.seq);
          }
          if (each.do === 'close' && open.length > 0) {
            const undoSeq = open[each.which % open.length]!;
            closed.push(undoSeq);
            compensator.closed([{ run, undoSeq, outcome: each.fails ? failed : completed }], 2);
          } else if (each.do === 'closeAgain' && closed.length > 0) compensator.closed([{ run, undoSeq: closed[each.which % closed.length]!, outcome: completed }], 2);
          else if (each.do === 'restart') await compensator.reset();
          else if (each.do === 'failedBatch') {
            compensator.receive([rollbackOf(each.seq)]);
            compensator.closed(open.map((undoSeq) => ({ run, undoSeq, outcome: completed })), 2);
            await compensator.reset();
          }
          await take();
        }
        for (let open = asked.filter((undoSeq) => !closed.includes(undoSeq)); open.length > 0; open = asked.filter((undoSeq) => !closed.includes(undoSeq))) {
          closed.push(open[0]!);
          compensator.closed([{ run, undoSeq: open[0]!, outcome: completed }], 2);
          await take();
        }
        expect(answered.sort()).toEqual([...wanted].sort());
        for (const seq of wanted) expect(asked.filter((undoSeq) => Math.floor(undoSeq / 10) === seq)).toEqual(rollbackOf(seq).steps.map(({ undoSeq }) => undoSeq));
      }),
      { numRuns: 200 },
    );
  });
});
