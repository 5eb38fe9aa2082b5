import type { SliceName } from '@perdure/delivery';
import type { SchedulerSlice } from '@perdure/scheduler';
import type { Cluster } from './cluster.js';
import type { HandOuts } from './hand-outs.js';
import type { Owner } from './node.js';
import type { Desk } from './worker.js';

const schedulerOf = (owner: Owner): SchedulerSlice['scheduler'] => (owner.machine as unknown as SchedulerSlice).scheduler;

/** The desk of a slice of the scheduler, wherever its owner is. */
export const deskOf = (cluster: Cluster, slice: SliceName, handOuts: HandOuts): Desk => ({
  poll: (tenant, request) =>
    cluster.ask(slice, async (owner) => {
      const response = await schedulerOf(owner).poll(tenant, request);
      const isStale = owner.isDown || owner.epoch !== cluster.disk.stores.get(slice)!.epochNow;
      if (!isStale) for (const task of response.tasks) handOuts.handedOut(tenant, task);
      return response;
    }),
  answer: (tenant, answers) =>
    cluster.ask(slice, async (owner) => {
      const before = answers.map(({ token }) => handOuts.newest(token));
      const receipts = await schedulerOf(owner).answer(tenant, answers);
      for (const [index, receipt] of receipts.entries()) handOuts.answered(answers[index]!, receipt, { before: before[index], epoch: owner.epoch });
      return receipts;
    }),
  heartbeat: (tenant, requests) =>
    cluster.ask(slice, (owner) => {
      handOuts.beaten(requests);
      return schedulerOf(owner).heartbeat(tenant, requests);
    }),
});
