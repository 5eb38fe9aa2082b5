import { beforeEach, describe, expect, it } from '@jest/globals';
import type { PollRequest, PollResponse, TaskAnswer } from '@perdure/contract';
import { SliceHarness, TENANT } from '../testing/slice-harness.js';
import { DeskRelay } from './desk-relay.js';

const turns = async (): Promise<void> => {
  for (let i = 0; i < 40; i++) await Promise.resolve();
};
const done = (token: string): TaskAnswer => ({ token, kind: 'completed', value: 1 });

describe('DeskRelay over two slices', () => {
  let slices: SliceHarness[];
  let relay: DeskRelay;
  beforeEach(async () => {
    slices = [new SliceHarness({}, undefined, 0), new SliceHarness({}, undefined, 1)];
    for (const { scheduler } of slices) await scheduler.open();
    relay = new DeskRelay({ desks: slices.map(({ scheduler }) => scheduler) });
  });

  const poll = (request: Partial<PollRequest> = {}, signal?: AbortSignal): Promise<PollResponse> =>
    relay.poll(TENANT, { worker: 'w', session: '1', queues: ['default'], slots: 10, holding: [], waitMs: 20_000, ...request }, signal);
  const settle = async (): Promise<void> => {
    await turns();
    for (const slice of slices) await slice.settle();
    await turns();
  };
  /** What is known of a promise now. */
  const watch = <T>(promise: Promise<T>): { value?: T } => {
    const seen: { value?: T } = {};
    void promise.then((value) => (seen.value = value));
    return seen;
  };

  it('brings what either slice has, and its answers to where it came from', async () => {
    for (const [index, slice] of slices.entries()) {
      const open = poll();
      await slice.schedule(index + 1);
      const { tasks } = await open;
      expect(tasks.map(({ seq }) => seq)).toEqual([index + 1]);
      const receipts = relay.answer(TENANT, [done(tasks[0]!.token)]);
      await settle();
      expect(await receipts).toMatchObject([{ status: 'recorded' }]);
      expect(slice.inputs).toMatchObject([{ kind: 'activityClosed', seq: index + 1 }]);
    }
  });

  it('never has more out than the worker has slots, and serves each slice with a single slot', async () => {
    for (const slice of slices) for (let seq = 1; seq <= 3; seq++) await slice.schedule(seq);
    const got: number[] = [];
    for (let i = 0; i < 6; i++) {
      const one = watch(poll({ slots: 1 }));
      await settle();
      expect(one.value?.tasks).toHaveLength(1);
      got.push(Number(one.value!.tasks[0]!.token[0]));
      const receipts = relay.answer(TENANT, [done(one.value!.tasks[0]!.token)]);
      await settle();
      await receipts;
    }
    expect(got.filter((slice) => slice === 0)).toHaveLength(3);
    expect(got.filter((slice) => slice === 1)).toHaveLength(3);
  });

  it('gives a single slot to the slice that gets work, whichever was favoured', async () => {
    for (const slice of [slices[1]!, slices[0]!, slices[1]!]) {
      const open = watch(poll({ slots: 1 }));
      await settle();
      expect(open.value).toBeUndefined();
      await slice.schedule(slices.indexOf(slice) + slice.inputs.length * 10 + 1);
      await settle();
      expect(open.value?.tasks).toHaveLength(1);
      const receipts = relay.answer(TENANT, [done(open.value!.tasks[0]!.token)]);
      await settle();
      await receipts;
    }
  });

  it('shares all slots with the one slice that has work', async () => {
    for (let seq = 1; seq <= 10; seq++) await slices[0]!.schedule(seq);
    const held: string[] = [];
    for (let i = 0; i < 8 && held.length < 10; i++) {
      const some = watch(poll({ slots: 10 - held.length, holding: held }));
      await settle();
      expect(some.value).toBeDefined();
      held.push(...some.value!.tasks.map(({ token }) => token));
      expect(held.length).toBeLessThanOrEqual(10);
    }
    expect(held).toHaveLength(10);
  });

  it('answers at once a poll that does not wait', async () => {
    expect(await poll({ waitMs: 0 })).toEqual({ tasks: [], cancel: [] });
    const open = watch(poll());
    await turns();
    expect(await poll({ waitMs: 0 })).toEqual({ tasks: [], cancel: [] });
    expect(open.value).toEqual({ tasks: [], cancel: [] });
  });

  it('drops what came for a worker that has gone: it goes back', async () => {
    const gone = new AbortController();
    const open = poll({}, gone.signal);
    await turns();
    gone.abort();
    expect(await open).toEqual({ tasks: [], cancel: [] });
    await slices[1]!.schedule(1);
    const other = poll({ worker: 'other' });
    expect((await other).tasks).toHaveLength(1);
  });

  it('takes one poisoned task at a time, wherever it lies', async () => {
    const first = watch(poll({ slots: 5, surgical: true, holding: ['1.1.1.x.acme/order-7/r1/1'] }));
    await settle();
    await slices[0]!.schedule(1);
    await settle();
    expect(first.value?.tasks ?? []).toEqual([]);
  });

  it('fails a poll when a slice does', async () => {
    slices[1]!.scheduler.drain();
    await expect(poll()).rejects.toMatchObject({ code: 'draining' });
  });
});
