import { beforeEach, describe, expect, it } from '@jest/globals';
import { SliceHarness } from './testing/slice-harness.js';

describe('Worker sessions', () => {
  let slice: SliceHarness;
  beforeEach(async () => {
    slice = new SliceHarness();
    await slice.scheduler.open();
    await slice.schedule(1);
  });

  const state = () => [...slice.tasks.rows.values()][0]?.state;

  it('takes back at once what the next poll does not list, and counts nothing', async () => {
    const lost = await slice.takeOne();
    const again = await slice.takeOne();
    expect(again).toMatchObject({ seq: 1, attempt: 1 });
    expect(again.token).not.toBe(lost.token);
    expect(await slice.answer({ token: lost.token, kind: 'completed' })).toEqual(['superseded']);
    expect(await slice.answer({ token: again.token, kind: 'completed' })).toEqual(['recorded']);
  });

  it('takes back what is not confirmed within a second; its answer holds until it is handed out anew', async () => {
    const { token } = await slice.takeOne();
    await slice.advance(999);
    expect(await slice.take({ worker: 'other' })).toEqual([]);
    await slice.advance(1);
    expect(state()).toMatchObject({ attempt: 1, crashes: 0 });
    expect(await slice.answer({ token, kind: 'completed' })).toEqual(['recorded']);
    expect(await slice.take({ worker: 'other' })).toEqual([]);
  });

  it('lets a worker that was late keep what nobody else was given', async () => {
    const { token } = await slice.takeOne();
    await slice.advance(1_000);
    expect(await slice.poll({ holding: [token], slots: 10 })).toEqual({ tasks: [], cancel: [] });
    expect(await slice.take({ worker: 'other' })).toEqual([]);
  });

  it('does not let a token that was superseded speak again because a batch was taken back', async () => {
    const { token } = await slice.takeOne();
    await slice.advance(1_000);
    const other = await slice.takeOne({ worker: 'other' });
    await slice.batch([slice.task(99)], { fail: true });
    expect(await slice.answer({ token, kind: 'completed' })).toEqual(['superseded']);
    expect(await slice.answer({ token: other.token, kind: 'completed' })).toEqual(['recorded']);
  });

  it('tells a worker that was late what another was given', async () => {
    const { token } = await slice.takeOne();
    await slice.advance(1_000);
    expect(await slice.take({ worker: 'other' })).toHaveLength(1);
    expect((await slice.poll({ holding: [token] })).cancel).toEqual([{ token, reason: 'superseded' }]);
  });

  it('counts one crash for each confirmed attempt of a silent session, and retries', async () => {
    const { token } = await slice.takeOne();
    await slice.poll({ holding: [token] });
    await slice.advance(9_999);
    expect(state()).toMatchObject({ attempt: 1 });
    await slice.advance(1);
    expect(state()).toMatchObject({ attempt: 2, crashes: 1, failures: 0 });
    expect(await slice.answer({ token, kind: 'completed' })).toEqual(['superseded']);
    expect((await slice.takeOne()).attempt).toBe(2);
  });

  it('is not silent while its poll is open, or while it answers and beats', async () => {
    const { token } = await slice.takeOne();
    void slice.poll({ holding: [token], slots: 0, waitMs: 30_000 });
    await slice.advance(30_000);
    await slice.advance(9_000);
    await slice.scheduler.heartbeat('acme', [{ token }]);
    await slice.advance(9_000);
    expect(state()).toMatchObject({ attempt: 1 });
  });

  it('knows at once that a process started anew has lost what it held', async () => {
    const { token } = await slice.takeOne({ session: '1' });
    await slice.poll({ session: '1', holding: [token] });
    await slice.poll({ session: '2' });
    await slice.settle();
    expect(state()).toMatchObject({ attempt: 2, crashes: 1 });
  });

  it('forgives what the server itself delayed', async () => {
    slice = new SliceHarness();
    // As if the process had been stopped for a minute: alarms sound long after their time.
    const at = slice.clock.at.bind(slice.clock);
    slice.clock.at = (atMs, run) => at(atMs + 60_000, run);
    await slice.scheduler.open();
    await slice.schedule(1, { startToCloseTimeoutMs: 600_000 });
    const { token } = await slice.takeOne();
    await slice.poll({ holding: [token] });
    await slice.advance(75_000);
    expect(state()).toMatchObject({ attempt: 1, crashes: 0 });
  });

  describe('after a restart', () => {
    it('an attempt keeps its worker, whose answer counts', async () => {
      const { token } = await slice.takeOne();
      await slice.reopen();
      expect(await slice.poll({ holding: [token] })).toEqual({ tasks: [], cancel: [] });
      await slice.advance(5_000);
      expect(await slice.take({ worker: 'other' })).toEqual([]);
      expect(await slice.answer({ token, kind: 'completed' })).toEqual(['recorded']);
    });

    it('an answer that comes before any poll counts', async () => {
      const { token } = await slice.takeOne();
      await slice.reopen();
      expect(await slice.answer({ token, kind: 'completed' })).toEqual(['recorded']);
      await slice.advance(20_000);
      expect(slice.inputs).toHaveLength(1);
    });

    it('what nobody claims is handed out after the grace, and only then the old token is void', async () => {
      const { token } = await slice.takeOne();
      await slice.reopen();
      await slice.advance(1_999);
      expect(await slice.take()).toEqual([]);
      await slice.advance(1);
      const again = await slice.takeOne();
      expect(again).toMatchObject({ attempt: 1, epoch: 2 });
      expect(await slice.answer({ token, kind: 'completed' })).toEqual(['superseded']);
      expect(await slice.answer({ token: again.token, kind: 'completed' })).toEqual(['recorded']);
    });
  });

  describe('after a second restart', () => {
    it('the token of an attempt that was handed out anew in between stays void', async () => {
      const { token } = await slice.takeOne();
      await slice.reopen();
      await slice.advance(2_000);
      const again = await slice.takeOne();
      await slice.reopen();
      expect(await slice.answer({ token, kind: 'completed' })).toEqual(['superseded']);
      expect(await slice.poll({ holding: [token] })).toEqual({ tasks: [], cancel: [{ token, reason: 'superseded' }] });
      expect(await slice.answer({ token: again.token, kind: 'completed' })).toEqual(['recorded']);
    });

    it('the token of an attempt that nobody else was given holds', async () => {
      const { token } = await slice.takeOne();
      await slice.reopen();
      await slice.advance(1_000);
      await slice.reopen();
      expect(await slice.answer({ token, kind: 'completed' })).toEqual(['recorded']);
    });
  });

  describe('poison', () => {
    const crash = async (request = {}) => {
      const { token } = await slice.takeOne(request);
      await slice.poll({ ...request, holding: [token] });
      await slice.advance(10_000);
    };

    it('leaves a task with three crashes in a row to surgical workers, with growing delays', async () => {
      await crash();
      await crash();
      await slice.advance(1_800);
      await crash();
      expect(state()).toMatchObject({ crashes: 3, crashesInRow: 3, attempt: 4 });
      await slice.advance(60_000);
      expect(await slice.take()).toEqual([]);
      await crash({ surgical: true });
      await slice.advance(299_999);
      expect(await slice.take({ surgical: true })).toEqual([]);
      await slice.advance(1);
      const { token } = await slice.takeOne({ surgical: true, slots: 5 });
      await slice.answer({ token, kind: 'completed' });
      expect(slice.inputs).toMatchObject([{ kind: 'activityClosed', attempts: 5 }]);
    });

    it('begins to count anew after an attempt that only failed', async () => {
      await crash();
      const { token } = await slice.takeOne();
      await slice.answer({ token, kind: 'failed', error: { type: 'Error', message: 'x' }, retryAfterMs: 0 });
      await crash();
      expect(state()).toMatchObject({ crashes: 2, crashesInRow: 1, failures: 1 });
    });

    it('gives surgical workers one task at a time, and nothing that is well', async () => {
      expect(await slice.take({ surgical: true })).toEqual([]);
    });

    it('suspends the run after a day, and each day again, while the task stays', async () => {
      await crash();
      await crash();
      await slice.advance(1_800);
      await crash();
      await slice.advance(86_400_000);
      expect(slice.inputs).toMatchObject([{ id: 'r1/1/poisoned/1', kind: 'suspend', runId: 'r1', poisoned: { seq: 1, message: expect.stringMatching(/^activity "\w+" \(#1\) has crashed its worker \d+ times$/) } }]);
      await slice.reopen();
      await slice.advance(86_400_000);
      expect(slice.inputs.map(({ id }) => id)).toEqual(['r1/1/poisoned/1', 'r1/1/poisoned/2']);
      expect(await slice.take({ surgical: true })).toHaveLength(1);
    });

    it('counts crashes among the attempts that the policy allows', async () => {
      await slice.schedule(2, { queue: 'q', retry: { maxAttempts: 2, initialIntervalMs: 1, backoffCoefficient: 1, maxIntervalMs: 1 } });
      await crash({ queues: ['q'] });
      await crash({ queues: ['q'] });
      expect(slice.inputs).toMatchObject([{ id: 'r1/2/closed', outcome: { status: 'timedOut', timeout: 'heartbeat' }, attempts: 2 }]);
    });
  });
});
