import type { SliceName } from '@perdure/delivery';
import type { SchedulerSlice } from '@perdure/scheduler';
import type { Cluster } from './cluster.js';
import type { HandOuts } from './hand-outs.js';
import { TENANT, type Desk } from './worker.js';

/** The desk of a slice of the scheduler, wherever its owner is. */
export const deskOf = (cluster: Cluster, slice: SliceName, handOuts: HandOuts): Desk => ({
  poll: (request) =>
    cluster.ask(slice, async (owner) => {
      const response = await (owner.machine as unknown as SchedulerSlice).scheduler.poll(TENANT, request);
      const isStale = owner.isDown || owner.epoch !== cluster.disk.stores.get(slice)!.epochNow;
      if (!isStale) for (const task of response.tasks) handOuts.handedOut(task);
      return response;
    }),
  answer: (answers) =>
    cluster.ask(slice, async (owner) => {
      const before = answers.map(({ token }) => handOuts.newest(token));
      const receipts = await (owner.machine as unknown as SchedulerSlice).scheduler.answer(TENANT, answers);
      for (const [index, { token, status }] of receipts.entries()) if (status === 'recorded') handOuts.recorded(token, { before: before[index], epoch: owner.epoch });
      return receipts;
    }),
});
