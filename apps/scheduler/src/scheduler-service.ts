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
  machine: (slice, { epoch, wake, observer }) => SchedulerSlice.open({ tasks: new CockroachTaskStore(pool, slice), timers: new CockroachTimerStore(pool, slice), clock, random, slice: sliceIndexOf(slice), epoch, wake, map, observer }),
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
  levels: (owners) => ({
    tasksOpen: sumOf(owners, ({ tasks }) => tasks),
    tasksPoisoned: sumOf(owners, ({ poisoned }) => poisoned),
    timers: sumOf(owners, ({ timers }) => timers),
    // A worker polls every slice.
    sessions: new Set(owners.flatMap(({ machine }) => [...machine.scheduler.workers()])).size,
    ready: owners.flatMap(({ machine }) => [...machine.scheduler.ready()]),
  }),
  drain: ({ machine }) => machine.scheduler.drain(),
});

const sumOf = (owners: readonly { readonly machine: SchedulerSlice }[], pick: (stats: SchedulerSlice['scheduler']['stats']) => number): number => owners.reduce((sum, { machine }) => sum + pick(machine.scheduler.stats), 0);
