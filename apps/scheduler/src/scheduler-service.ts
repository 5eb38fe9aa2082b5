import { CockroachTaskStore, CockroachTimerStore, schedulerSliceStore } from '@perdure/cockroach';
import type { HeartbeatRequest, PollRequest, TaskAnswer } from '@perdure/contract';
import { sliceIndexOf } from '@perdure/delivery';
import type { MeshParts, SliceService } from '@perdure/mesh';
import { SchedulerSlice, type SchedulerChange } from '@perdure/scheduler';

interface Asked {
  readonly tenant: string;
}

/** The scheduler's slices, and their desks: workers come to them by way of ingestion. */
export const schedulerService = ({ pool, clock, random, map }: MeshParts): SliceService<readonly SchedulerChange[], SchedulerSlice> => ({
  hasLog: false,
  store: (slice) => schedulerSliceStore(pool, slice),
  machine: (slice, { epoch, wake }) => SchedulerSlice.open({ tasks: new CockroachTaskStore(pool, slice), timers: new CockroachTimerStore(pool, slice), clock, random, slice: sliceIndexOf(slice), epoch, wake }, map),
  operations: {
    poll: ({ machine }, { body, signal }) => {
      const { tenant, request } = body as Asked & { readonly request: PollRequest };
      return machine.scheduler.poll(tenant, request, signal);
    },
    answer: ({ machine }, { body }) => {
      const { tenant, answers } = body as Asked & { readonly answers: readonly TaskAnswer[] };
      return machine.scheduler.answer(tenant, answers);
    },
    heartbeat: ({ machine }, { body }) => {
      const { tenant, requests } = body as Asked & { readonly requests: readonly HeartbeatRequest[] };
      return machine.scheduler.heartbeat(tenant, requests);
    },
  },
  drain: ({ machine }) => machine.scheduler.drain(),
});
