import { beforeEach, describe, expect, it } from '@jest/globals';
import type { ActivityOptions, CompensationEffect, Outcome, RollbackStep } from '@perdure/contract';
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
    expect(store.rollbacks.size).toBe(0);
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
    expect(store.rollbacks.size).toBe(0);
  });
});
