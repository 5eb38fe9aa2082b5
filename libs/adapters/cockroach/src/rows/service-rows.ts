import type { SliceName } from '@perdure/delivery';
import type { Query, Statement } from '../pool/statement.js';

/**
 * How the rows of a service are written. What ends is *blanked* by an upsert, as if it were not there, and deleted later, many at a
 * time: a deletion, like any statement that looks for its rows, takes read locks in PostgreSQL that stand for whole pages, and pages are shared by
 * slices. A batch that only puts rows by their keys takes none, so that no two slices are ever in each other's way.
 */
export interface ServiceRows<Rows> {
  /** In an order in which they can be run one by one. `batch`: the cursor after it. */
  queries(slice: SliceName, rows: Rows, batch: number): Query[];
  /** Delete what was blanked; each takes the slice as its parameter. */
  readonly sweeps: readonly Statement[];
}
