import { beforeEach, describe, expect, it } from '@jest/globals';
import type { Failure } from '@perdure/contract';
import { RUN, SliceHarness, TENANT } from './testing/slice-harness.js';

const boom: Failure = { type: 'Error', message: 'boom' };

describe('Scheduler', () => {
  let slice: SliceHarness;
  beforeEach(async () => {
    slice = new SliceHarness();
    await slice.scheduler.open();
  });

  const closings = () => slice.inputs.map((input) => (input.kind === 'activityClosed' ? [input.id, input.outcome.status, input.attempts] : [input.id, input.kind]));

  describe('hand-out', () => {
    it('hands out a task with all that its worker needs, writes its row once and deletes it once', async () => {
      await slice.schedule(4, {}, { input: { sum: 3 }, trace: 't' });
      expect(slice.tasks.rows.size).toBe(1);
      const task = await slice.takeOne();
      expect(task).toMatchObject({ run: RUN, seq: 4, name: 'charge', input: { sum: 3 }, attempt: 1, idempotencyKey: 'acme/order-7/r1/4', deadline: 1_060_000, trace: 't', epoch: 1 });
      expect(await slice.answer({ token: task.token, kind: 'completed', value: 'ok' })).toEqual(['recorded']);
      expect(slice.inputs).toEqual([{ id: 'r1/4/closed', ...RUN, at: 1_000_000, trace: 't', kind: 'activityClosed', seq: 4, outcome: { status: 'completed', value: 'ok' }, attempts: 1 }]);
      expect(slice.tasks.rows.size).toBe(0);
    });

    it('wakes a waiting poll when the task is committed, not before', async () => {
      const waiting = slice.poll({ waitMs: 5_000 });
      await Promise.resolve();
      slice.scheduler.receive([slice.task(1)]);
      slice.scheduler.takeInputs();
      const taken = slice.scheduler.takeChanges();
      expect(taken).toMatchObject([{ kind: 'putTask' }]);
      expect(await slice.take({ worker: 'other' })).toEqual([]);
      slice.scheduler.committed();
      expect((await waiting).tasks).toMatchObject([{ seq: 1 }]);
    });

    it('is first in, first out, up to the slots, for the worker’s queues, names and tenant', async () => {
      for (const seq of [1, 2, 3]) await slice.schedule(seq, {}, { name: seq === 2 ? 'ship' : 'charge' });
      await slice.schedule(4, { queue: 'other' });
      expect(await slice.scheduler.poll('rival', { worker: 'x', session: '1', queues: ['default'], slots: 9, holding: [], waitMs: 0 })).toEqual({ tasks: [], cancel: [] });
      expect((await slice.take({ slots: 1, activities: ['ship'], worker: 'a' })).map(({ seq }) => seq)).toEqual([2]);
      expect((await slice.take({ slots: 1, worker: 'b' })).map(({ seq }) => seq)).toEqual([1]);
      expect((await slice.take({ queues: ['other', 'default'], worker: 'c' })).map(({ seq }) => seq).sort()).toEqual([3, 4]);
    });

    it('shares what becomes ready among the polls that wait', async () => {
      const polls = ['a', 'b'].map((worker) => slice.poll({ worker, waitMs: 5_000 }));
      await Promise.resolve();
      await slice.batch([1, 2, 3, 4].map((seq) => slice.task(seq)));
      expect((await Promise.all(polls)).map(({ tasks }) => tasks.length)).toEqual([2, 2]);
    });

    it('ends a poll after its wait, when its worker goes, and at drain', async () => {
      const waited = slice.poll({ worker: 'a', waitMs: 5_000 });
      const controller = new AbortController();
      const gone = slice.poll({ worker: 'b', waitMs: 5_000 }, controller.signal);
      await Promise.resolve();
      controller.abort();
      expect(await gone).toEqual({ tasks: [], cancel: [] });
      await slice.advance(5_000);
      expect(await waited).toEqual({ tasks: [], cancel: [] });
      const drained = slice.poll({ worker: 'c', waitMs: 5_000 });
      await Promise.resolve();
      slice.scheduler.drain();
      expect(await drained).toEqual({ tasks: [], cancel: [] });
      await expect(slice.poll({ worker: 'd' })).rejects.toMatchObject({ code: 'draining' });
    });

    it('does not give a task to a poll whose worker has gone', async () => {
      const controller = new AbortController();
      const gone = slice.poll({ worker: 'b', waitMs: 5_000 }, controller.signal);
      await Promise.resolve();
      controller.abort();
      await gone;
      await slice.schedule(1);
      expect(await slice.take({ worker: 'a' })).toHaveLength(1);
    });
  });

  describe('retries', () => {
    it('waits longer from attempt to attempt, and never longer than the policy says', async () => {
      await slice.schedule(1, { retry: { maxAttempts: 0, initialIntervalMs: 1_000, backoffCoefficient: 2, maxIntervalMs: 3_000 } });
      for (const [attempt, delayMs] of [[1, 900], [2, 1_800], [3, 2_700], [4, 2_700]] as const) {
        const task = await slice.takeOne();
        expect(task.attempt).toBe(attempt);
        await slice.answer({ token: task.token, kind: 'failed', error: boom });
        await slice.advance(delayMs - 1);
        expect(await slice.take()).toEqual([]);
        await slice.advance(1);
      }
      expect((await slice.takeOne()).attempt).toBe(5);
    });

    it('makes the next attempt durable before it is handed out', async () => {
      await slice.schedule(1);
      const first = await slice.takeOne();
      await slice.answer({ token: first.token, kind: 'failed', error: boom, retryAfterMs: 0 });
      expect([...slice.tasks.rows.values()]).toMatchObject([{ state: { attempt: 2, failures: 1, lastFailure: boom } }]);
      await slice.reopen();
      await slice.advance(2_000);
      expect((await slice.takeOne()).attempt).toBe(2);
      expect(await slice.answer({ token: first.token, kind: 'completed' })).toEqual(['superseded']);
    });

    it.each([
      ['at the last attempt', { retry: { maxAttempts: 1, initialIntervalMs: 1, backoffCoefficient: 1, maxIntervalMs: 1 } }, boom],
      ['at an error that says so', {}, { ...boom, retryable: false }],
      ['at a type of error that the policy names', { retry: { maxAttempts: 0, initialIntervalMs: 1, backoffCoefficient: 1, maxIntervalMs: 1, nonRetryableTypes: ['Error'] } }, boom],
      ['when the next attempt would begin too late', { scheduleToCloseTimeoutMs: 500 }, boom],
    ])('gives up %s', async (_, options, error) => {
      await slice.schedule(1, options);
      const { token } = await slice.takeOne();
      await slice.answer({ token, kind: 'failed', error });
      expect(slice.inputs).toMatchObject([{ id: 'r1/1/closed', outcome: { status: 'failed', error } }]);
      expect(slice.tasks.rows.size).toBe(0);
    });

    it('lets the worker say when', async () => {
      await slice.schedule(1);
      const { token } = await slice.takeOne();
      await slice.answer({ token, kind: 'failed', error: boom, retryAfterMs: 7_000 });
      await slice.advance(6_999);
      expect(await slice.take()).toEqual([]);
      await slice.advance(1);
      expect(await slice.take()).toHaveLength(1);
    });
  });

  describe('timeouts', () => {
    it('gives up an attempt at its start-to-close timeout and tells its worker', async () => {
      await slice.schedule(1, { startToCloseTimeoutMs: 5_000, retry: { maxAttempts: 2, initialIntervalMs: 1_000, backoffCoefficient: 1, maxIntervalMs: 1_000 } });
      const { token } = await slice.takeOne();
      const next = slice.poll({ holding: [token], slots: 0, waitMs: 30_000 });
      await slice.advance(5_000);
      expect(await next).toEqual({ tasks: [], cancel: [{ token, reason: 'superseded' }] });
      expect(await slice.answer({ token, kind: 'completed' })).toEqual(['superseded']);
      await slice.advance(1_000);
      const second = await slice.takeOne();
      expect(second.attempt).toBe(2);
      void slice.poll({ holding: [second.token], slots: 0, waitMs: 30_000 });
      await slice.advance(5_000);
      expect(slice.inputs).toMatchObject([{ outcome: { status: 'timedOut', timeout: 'startToClose' }, attempts: 2 }]);
    });

    it('closes at the schedule-to-close timeout, held or not', async () => {
      await slice.schedule(1, { scheduleToCloseTimeoutMs: 3_000 });
      await slice.schedule(2, { scheduleToCloseTimeoutMs: 3_000 });
      const { token } = await slice.takeOne();
      void slice.poll({ holding: [token], slots: 0, waitMs: 30_000 });
      await slice.advance(3_000);
      expect(closings().sort()).toEqual([['r1/1/closed', 'timedOut', 1], ['r1/2/closed', 'timedOut', 0]]);
    });

    it('counts a lost heartbeat as a crash, and keeps the last progress for the next attempt', async () => {
      await slice.schedule(1, { heartbeatTimeoutMs: 2_000 });
      const { token } = await slice.takeOne();
      void slice.poll({ holding: [token], slots: 0, waitMs: 30_000 });
      for (let i = 0; i < 3; i++) {
        await slice.advance(1_500);
        expect(await slice.scheduler.heartbeat(TENANT, [{ token, progress: { page: i } }])).toEqual([{ status: 'ok' }]);
        await slice.settle();
      }
      await slice.advance(2_000);
      expect([...slice.tasks.rows.values()]).toMatchObject([{ state: { attempt: 2, failures: 0, crashes: 1, progress: { page: 2 } } }]);
      expect(await slice.takeOne()).toMatchObject({ attempt: 2, progress: { page: 2 } });
    });

    it('keeps progress of the newest attempt alone, though a server before this one handed it out', async () => {
      await slice.schedule(1, { heartbeatTimeoutMs: 2_000 });
      const { token } = await slice.takeOne();
      await slice.reopen();
      const beat = async (): Promise<string> => {
        const [response] = await slice.scheduler.heartbeat(TENANT, [{ token, progress: { page: 7 } }]);
        await slice.settle();
        return response!.status;
      };
      const kept = (): unknown => [...slice.tasks.rows.values()][0]!.state.progress;
      expect([await beat(), kept()]).toEqual(['ok', { page: 7 }]);
      await slice.advance(60_000);
      const next = await slice.takeOne();
      await slice.scheduler.heartbeat(TENANT, [{ token: next.token, progress: { page: 8 } }]);
      await slice.settle();
      expect([await beat(), kept()]).toEqual(['superseded', { page: 8 }]);
    });
  });

  describe('a server that was held up', () => {
    /** The process stood still: its alarms sound late, and what was sent to it is read after them. */
    const standStill = async (ms: number): Promise<void> => {
      await slice.advance(0);
      slice.clock.advanceTo(slice.clock.now() + ms);
      await slice.settle();
    };

    it('reads what came meanwhile before it takes an attempt for lost or late', async () => {
      await slice.schedule(1, { heartbeatTimeoutMs: 2_000 });
      await slice.schedule(2, { startToCloseTimeoutMs: 2_000, retry: { maxAttempts: 1, initialIntervalMs: 1, backoffCoefficient: 1, maxIntervalMs: 1 } });
      const [beating, answering] = await slice.take();
      void slice.poll({ holding: [beating!.token, answering!.token], slots: 0, waitMs: 30_000 });
      await standStill(5_000);
      expect(await slice.scheduler.heartbeat(TENANT, [{ token: beating!.token }])).toEqual([{ status: 'ok' }]);
      expect(await slice.answer({ token: answering!.token, kind: 'completed' })).toEqual(['recorded']);
      await slice.advance(1_500);
      expect([...slice.tasks.rows.values()]).toMatchObject([{ state: { attempt: 1, crashes: 0 } }]);
      expect(closings()).toEqual([['r1/2/closed', 'completed', 1]]);
    });

    it('lets an attempt that was asked to stop end as it does', async () => {
      await slice.schedule(1, { startToCloseTimeoutMs: 2_000 });
      const { token } = await slice.takeOne();
      void slice.poll({ holding: [token], slots: 0, waitMs: 30_000 });
      await slice.batch([slice.cancel(1)]);
      void slice.poll({ holding: [token], slots: 0, waitMs: 30_000 });
      await standStill(5_000);
      await slice.answer({ token, kind: 'completed' });
      expect(closings()).toEqual([['r1/1/closed', 'completed', 1]]);
    });

    it('puts off what is overdue once, and again only after a sign of life', async () => {
      await slice.schedule(1, { heartbeatTimeoutMs: 2_000 });
      const { token } = await slice.takeOne();
      void slice.poll({ holding: [token], slots: 0, waitMs: 30_000 });
      await standStill(5_000);
      await standStill(5_000);
      expect([...slice.tasks.rows.values()]).toMatchObject([{ state: { attempt: 2, crashes: 1 } }]);
      const next = await slice.takeOne();
      void slice.poll({ holding: [next.token], slots: 0, waitMs: 30_000 });
      await standStill(5_000);
      await slice.scheduler.heartbeat(TENANT, [{ token: next.token }]);
      await standStill(5_000);
      expect([...slice.tasks.rows.values()]).toMatchObject([{ state: { attempt: 2 } }]);
    });
  });

  describe('cancel', () => {
    it('closes a task that nobody has, whether it is ready, waiting or not even committed', async () => {
      await slice.schedule(1);
      await slice.schedule(2);
      const { token } = await slice.takeOne();
      await slice.answer({ token, kind: 'failed', error: boom });
      await slice.batch([slice.task(3), slice.cancel(1), slice.cancel(2), slice.cancel(3)]);
      expect(closings()).toEqual([['r1/1/closed', 'cancelled', 1], ['r1/2/closed', 'cancelled', 0], ['r1/3/closed', 'cancelled', 0]]);
      expect(slice.tasks.rows.size).toBe(0);
      expect(await slice.take()).toEqual([]);
    });

    it('tells the worker that runs it, by poll and heartbeat, and closes by how it really ends', async () => {
      await slice.batch([1, 2, 3].map((seq) => slice.task(seq)));
      const tokens = (await slice.take()).map(({ token }) => token);
      const told = slice.poll({ holding: tokens, slots: 0, waitMs: 30_000 });
      await slice.batch([1, 2, 3].map((seq) => slice.cancel(seq)));
      expect(await told).toEqual({ tasks: [], cancel: tokens.map((token) => ({ token, reason: 'cancelled' })) });
      expect(await slice.scheduler.heartbeat(TENANT, [{ token: tokens[0]! }])).toEqual([{ status: 'cancelled' }]);
      expect(slice.inputs).toEqual([]);
      await slice.answer({ token: tokens[0]!, kind: 'cancelled' }, { token: tokens[1]!, kind: 'completed', value: 1 }, { token: tokens[2]!, kind: 'failed', error: boom });
      expect(closings()).toEqual([['r1/1/closed', 'cancelled', 1], ['r1/2/closed', 'completed', 1], ['r1/3/closed', 'failed', 1]]);
    });

    it('is told again to a worker that ignores it, but not at every poll', async () => {
      await slice.schedule(1);
      const { token } = await slice.takeOne();
      await slice.poll({ holding: [token] });
      await slice.batch([slice.cancel(1)]);
      expect((await slice.poll({ holding: [token] })).cancel).toHaveLength(1);
      const quiet = slice.poll({ holding: [token], slots: 0, waitMs: 1_000 });
      await slice.advance(1_000);
      await quiet;
      await slice.advance(5_000);
      expect((await slice.poll({ holding: [token] })).cancel).toHaveLength(1);
    });

    it('survives a restart', async () => {
      await slice.schedule(1);
      const { token } = await slice.takeOne();
      await slice.batch([slice.cancel(1)]);
      await slice.reopen();
      expect((await slice.poll({ holding: [token] })).cancel).toEqual([{ token, reason: 'cancelled' }]);
      await slice.reopen();
      await slice.advance(2_000);
      expect(closings()).toEqual([['r1/1/closed', 'cancelled', 1]]);
    });

    it('closes when the attempt it was told to is lost', async () => {
      await slice.schedule(1);
      const { token } = await slice.takeOne();
      await slice.poll({ holding: [token] });
      await slice.batch([slice.cancel(1)]);
      await slice.advance(10_000);
      expect(closings()).toEqual([['r1/1/closed', 'cancelled', 1]]);
    });
  });

  describe('timers', () => {
    const arm = (seq: number, dueMs: number) => ({ to: 'scheduler', kind: 'armTimer', run: RUN, seq, dueMs }) as const;

    it('fires in the order of the due times, once, over restarts, and not when disarmed', async () => {
      const now = slice.clock.now();
      await slice.batch([arm(1, now + 300), arm(2, now + 100), arm(3, now + 200), arm(4, now + 150)]);
      await slice.batch([{ to: 'scheduler', kind: 'disarmTimer', run: RUN, seq: 4 }]);
      await slice.advance(100);
      await slice.reopen();
      await slice.advance(1_000);
      expect(slice.inputs.map((input) => [input.id, input.kind === 'timerFired' && input.dueMs - now])).toEqual([['r1/2/fired', 100], ['r1/3/fired', 200], ['r1/1/fired', 300]]);
      expect(slice.timers.rows.size).toBe(0);
    });

    it('fires a crowd that is due at once in bounded batches', async () => {
      slice = new SliceHarness({ timersMaxPerBatch: 4 });
      await slice.scheduler.open();
      await slice.batch(Array.from({ length: 40 }, (_, seq) => arm(seq, slice.clock.now() + 50)));
      slice.clock.advanceBy(50);
      const sizes: number[] = [];
      for (let last = 0; slice.woken; last = slice.inputs.length) {
        await slice.batch();
        sizes.push(slice.inputs.length - last);
      }
      expect(sizes.reduce((sum, size) => sum + size)).toBe(40);
      expect(sizes.at(-2)).toBe(4);
      expect(Math.max(...sizes)).toBe(4);
      expect(new Set(slice.inputs.map(({ id }) => id)).size).toBe(40);
    });

    it('lets nothing else that is due wait behind a crowd of timers', async () => {
      slice = new SliceHarness({ timersMaxPerBatch: 10 });
      await slice.scheduler.open();
      await slice.batch(Array.from({ length: 100 }, (_, seq) => arm(seq, slice.clock.now() + 50)));
      await slice.schedule(1_000, { scheduleToCloseTimeoutMs: 60 });
      slice.clock.advanceBy(60);
      await slice.batch();
      expect(slice.inputs.filter(({ kind }) => kind === 'timerFired').length).toBeLessThanOrEqual(10);
      expect(slice.inputs.filter(({ kind }) => kind === 'activityClosed')).toHaveLength(1);
    });

    it('fires few beside what others have in the batch', () => {
      const fired = (others: number): number => {
        const inputs = slice.scheduler.takeInputs(others);
        slice.scheduler.takeChanges();
        slice.scheduler.committed();
        return inputs.length;
      };
      slice.scheduler.receive(Array.from({ length: 100 }, (_, seq) => arm(seq, slice.clock.now() + 50)));
      slice.scheduler.takeChanges();
      slice.scheduler.committed();
      slice.clock.advanceBy(50);
      expect([1, 1, 40, 2].map(fired)).toEqual([0, 1, 20, 1]);
    });

    it('fires again what a failed commit took back', async () => {
      await slice.batch([arm(1, slice.clock.now() + 10)]);
      slice.clock.advanceBy(10);
      await slice.batch([], { fail: true });
      await slice.advance(1);
      expect(slice.inputs).toMatchObject([{ id: 'r1/1/fired' }]);
    });
  });

  it('drops a closed run’s timers and activities, not its undo tasks, and tells the workers', async () => {
    await slice.batch([slice.task(1), slice.task(2), slice.task(1, {}, { role: 'undo' }), { to: 'scheduler', kind: 'armTimer', run: RUN, seq: 9, dueMs: slice.clock.now() + 10 }]);
    const { token } = await slice.takeOne();
    const told = slice.poll({ holding: [token], slots: 0, waitMs: 30_000 });
    await Promise.resolve();
    await slice.batch([{ to: 'scheduler', kind: 'dropRun', run: RUN }]);
    expect((await told).cancel).toEqual([{ token, reason: 'superseded' }]);
    expect([...slice.tasks.rows.keys()]).toEqual(['acme/order-7/r1/undo/1']);
    await slice.advance(1_000);
    expect(slice.inputs).toEqual([]);
    expect((await slice.take()).map(({ role }) => role)).toEqual(['undo']);
  });

  it('leaves no alarm behind when it is closed', async () => {
    await slice.schedule(1, { scheduleToCloseTimeoutMs: 5_000 });
    slice.scheduler.close();
    await slice.batch([slice.task(2, { scheduleToCloseTimeoutMs: 1_000 })]);
    expect(slice.clock.next()).toBeUndefined();
  });

  it('ignores a task that is there already', async () => {
    await slice.schedule(1);
    await slice.schedule(1);
    expect(await slice.take()).toHaveLength(1);
    expect(await slice.take({ worker: 'other' })).toEqual([]);
  });
});
