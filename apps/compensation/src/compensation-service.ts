import { CockroachSagaStore, compensationSliceStore } from '@perdure/cockroach';
import { CompensationSlice, type CompensationChange } from '@perdure/compensation';
import type { MeshParts, SliceService } from '@perdure/mesh';

/** Compensation's slices, over the mesh's store. Nobody asks them anything but by messages. */
export const compensationService = ({ pool, map }: MeshParts): SliceService<readonly CompensationChange[], CompensationSlice> => ({
  hasLog: false,
  store: (slice) => compensationSliceStore(pool, slice),
  machine: (slice) => CompensationSlice.open(new CockroachSagaStore(pool, slice), map),
  operations: {},
});
