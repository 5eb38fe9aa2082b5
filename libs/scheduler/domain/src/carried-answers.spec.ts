import { beforeEach, describe, expect, it } from '@jest/globals';
import type { TaskAnswer } from '@perdure/contract';
import { SliceHarness } from './testing/slice-harness.js';

describe('Answers that come with a poll', () => {
  let slice: SliceHarness;
  beforeEach(async () => {
    slice = new SliceHarness();
    await slice.scheduler.open();
    await slice.schedule(1);
  });

  const done = (token: string): TaskAnswer => ({ token, kind: 'completed', value: 1 });
  const recorded = (token: string) => [{ token, status: 'recorded' }];

  it('close their task, and their receipts go with the next task', async () => {
    const { token } = await slice.takeOne();
    const poll = slice.poll({ answers: [done(token)], waitMs: 20_000 });
    await slice.advance(0);
    expect(slice.inputs).toMatchObject([{ kind: 'activityClosed', seq: 1 }]);
    await slice.schedule(2);
    expect(await poll).toMatchObject({ tasks: [{ seq: 2 }], receipts: recorded(token) });
  });

  it('are receipted by themselves after a short time', async () => {
    const { token } = await slice.takeOne();
    const poll = slice.poll({ answers: [done(token)], waitMs: 20_000 });
    await slice.advance(0);
    await slice.advance(100);
    expect(await poll).toEqual({ tasks: [], cancel: [], receipts: recorded(token) });
  });

  it('are receipted only once they are durable, by a later poll of who still lists them', async () => {
    const { token } = await slice.takeOne();
    await slice.schedule(2);
    // There is a task already, so the poll is answered before the batch of its answer.
    expect((await slice.poll({ answers: [done(token)] })).receipts).toBeUndefined();
    await slice.settle();
    expect((await slice.poll({ holding: [token] })).receipts).toEqual(recorded(token));
  });

  it('are not receipted when their batch is taken back, and may come again', async () => {
    const { token } = await slice.takeOne();
    const poll = slice.poll({ answers: [done(token)], waitMs: 20_000 });
    for (let i = 0; i < 5; i++) await Promise.resolve();
    await slice.batch([], { fail: true });
    expect(await poll).toEqual({ tasks: [], cancel: [] });
    expect(await slice.answer(done(token))).toEqual(['recorded']);
    expect(slice.inputs).toHaveLength(1);
  });

  it('count as held: their attempt does not go back', async () => {
    const { token } = await slice.takeOne();
    void slice.poll({ answers: [done(token)], waitMs: 20_000 });
    expect(await slice.take({ worker: 'other' })).toEqual([]);
  });
});
