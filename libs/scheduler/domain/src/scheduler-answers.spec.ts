import { beforeEach, describe, expect, it } from '@jest/globals';
import { RUN, SliceHarness, TENANT } from './testing/slice-harness.js';

describe('Answers to the scheduler', () => {
  let slice: SliceHarness;
  beforeEach(async () => {
    slice = new SliceHarness();
    await slice.scheduler.open();
  });

  const closings = () => slice.inputs.map((input) => (input.kind === 'activityClosed' ? [input.id, input.outcome.status, input.attempts] : [input.id, input.kind]));

  it('refuses garbage, other tenants’ tokens and what was never handed out', async () => {
    await slice.schedule(1);
    const { token } = await slice.takeOne();
    const garbage = ['', 'x', '0.1.1', '0.1.1.a.', '0.9.1.a.acme/order-7/r1/1', '0.1.2.a.acme/order-7/r1/1', '0.1.1.a.acme/order-7/r1/9', '0.1.1.a.acme/order-7/r1/1', `${token}x`, '\u0000.\u0000', '0.99999999999999999999.1.a.b'];
    expect(await slice.answer(...garbage.map((each) => ({ token: each, kind: 'completed' as const })))).toEqual(garbage.map(() => 'superseded'));
    expect(await slice.scheduler.heartbeat(TENANT, garbage.map((each) => ({ token: each })))).toEqual(garbage.map(() => ({ status: 'superseded' })));
    const rival = slice.scheduler.answer('rival', [{ token, kind: 'completed' }]);
    await slice.settle();
    expect(await rival).toEqual([{ token, status: 'superseded' }]);
    expect(slice.inputs).toEqual([]);
  });

  it('tells another tenant nothing of a token whose answer was recorded', async () => {
    await slice.schedule(1);
    const { token } = await slice.takeOne();
    expect(await slice.answer({ token, kind: 'completed' })).toEqual(['recorded']);
    const rival = slice.scheduler.answer('rival', [{ token, kind: 'completed' }]);
    await slice.settle();
    expect(await rival).toEqual([{ token, status: 'superseded' }]);
    expect(await slice.scheduler.heartbeat('rival', [{ token }])).toEqual([{ status: 'superseded' }]);
    expect(await slice.scheduler.heartbeat(TENANT, [{ token }])).toEqual([{ status: 'ok' }]);
  });

  it('refuses whoever speaks for a task that is not committed', async () => {
    slice.scheduler.receive([slice.task(5)]);
    expect(await slice.scheduler.heartbeat(TENANT, [{ token: '0.1.1.a.acme/order-7/r1/5' }])).toEqual([{ status: 'superseded' }]);
  });

  it('gives the same receipt to the same answer, again and in one batch', async () => {
    await slice.schedule(1);
    const { token } = await slice.takeOne();
    const done = { token, kind: 'completed' } as const;
    expect(await slice.answer(done, done)).toEqual(['recorded', 'recorded']);
    expect(await slice.answer(done)).toEqual(['recorded']);
    expect(slice.inputs).toHaveLength(1);
  });

  it.each([
    ['another value', { kind: 'completed', value: 2 }],
    ['a failure', { kind: 'failed', error: { type: 'Error', message: 'no' } }],
  ] as const)('tells whoever has another answer that it does not count: %s', async (_, second) => {
    await slice.schedule(1);
    const { token } = await slice.takeOne();
    expect(await slice.answer({ token, kind: 'completed', value: 1 }, { token, ...second })).toEqual(['recorded', 'superseded']);
    expect(await slice.answer({ token, ...second }, { token, kind: 'completed', value: 1 })).toEqual(['superseded', 'recorded']);
    expect(slice.inputs).toHaveLength(1);
  });

  it('gives no receipt before the commit, and none for a commit that failed', async () => {
    await slice.schedule(1);
    const { token } = await slice.takeOne();
    const receipts = slice.scheduler.answer(TENANT, [{ token, kind: 'completed' }]);
    const outcome = receipts.catch((error: unknown) => error);
    await slice.batch([], { fail: true });
    expect(await outcome).toMatchObject({ code: 'unavailable', retryable: true });
    expect(slice.inputs).toEqual([]);
    expect(await slice.answer({ token, kind: 'completed' })).toEqual(['recorded']);
    expect(slice.inputs).toHaveLength(1);
  });

  it('belongs to the next batch when it comes after the inputs were taken', async () => {
    await slice.schedule(1);
    const { token } = await slice.takeOne();
    slice.scheduler.takeInputs();
    void slice.scheduler.answer(TENANT, [{ token, kind: 'completed' }]);
    expect(slice.scheduler.takeInputs()).toEqual([]);
    expect(slice.scheduler.takeChanges()).toEqual([]);
    slice.scheduler.committed();
    await slice.settle();
    expect(closings()).toEqual([['r1/1/closed', 'completed', 1]]);
  });

  it('keeps an accepted attempt open, over a restart too, until it is completed through the API', async () => {
    await slice.schedule(1);
    const { token } = await slice.takeOne();
    expect(await slice.answer({ token, kind: 'accepted' }, { token, kind: 'accepted' })).toEqual(['recorded', 'recorded']);
    await slice.advance(30_000);
    await slice.reopen();
    await slice.advance(20_000);
    expect(await slice.take()).toEqual([]);
    expect(await slice.answer({ token, kind: 'completed', value: 1 })).toEqual(['recorded']);
    expect(closings()).toEqual([['r1/1/closed', 'completed', 1]]);
  });

  it('expects no heartbeat of an accepted attempt, before and after a restart, and takes one all the same', async () => {
    await slice.schedule(1, { heartbeatTimeoutMs: 2_000 });
    const { token } = await slice.takeOne();
    await slice.answer({ token, kind: 'accepted' });
    await slice.advance(10_000);
    expect(await slice.scheduler.heartbeat(TENANT, [{ token, progress: 1 }])).toEqual([{ status: 'ok' }]);
    await slice.advance(10_000);
    await slice.reopen();
    await slice.advance(10_000);
    expect(await slice.answer({ token, kind: 'completed', value: 1 })).toEqual(['recorded']);
    expect(closings()).toEqual([['r1/1/closed', 'completed', 1]]);
  });

  it('gives an accepted attempt up at its deadline', async () => {
    await slice.schedule(1, { retry: { maxAttempts: 1, initialIntervalMs: 1, backoffCoefficient: 1, maxIntervalMs: 1 } });
    const { token } = await slice.takeOne();
    await slice.answer({ token, kind: 'accepted' });
    await slice.advance(60_000);
    expect(closings()).toEqual([['r1/1/closed', 'timedOut', 1]]);
  });

  it('sends an undo’s closing to compensation', async () => {
    await slice.schedule(1, {}, { role: 'undo' });
    const task = await slice.takeOne();
    expect(task.idempotencyKey).toBe('acme/order-7/r1/undo/1');
    await slice.answer({ token: task.token, kind: 'completed' });
    expect(slice.inputs).toEqual([]);
    expect(slice.undoClosings).toEqual([{ run: RUN, undoSeq: 1, outcome: { status: 'completed' }, attempts: 1 }]);
  });
});
