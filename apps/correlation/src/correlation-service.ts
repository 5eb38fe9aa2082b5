import { CockroachCorrelationStore, correlationSliceStore } from '@perdure/cockroach';
import { CorrelationSlice, type CorrelationChange } from '@perdure/correlation';
import type { MeshParts, SliceService } from '@perdure/mesh';

/** Correlation's slices: events of their logs, waits of runs. */
export const correlationService = ({ pool, clock, map }: MeshParts): SliceService<readonly CorrelationChange[], CorrelationSlice> => ({
  hasLog: true,
  store: (slice) => correlationSliceStore(pool, slice),
  machine: (slice, { wake }) => CorrelationSlice.open({ store: new CockroachCorrelationStore(pool, slice), clock, wake, map }),
  operations: {},
  levels: (owners) => ({
    waits: owners.reduce((sum, { machine }) => sum + machine.waiting, 0),
    eventsBuffered: owners.reduce((sum, { machine }) => sum + machine.buffered, 0),
  }),
});
