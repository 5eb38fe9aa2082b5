import type { Row } from '../report.js';

/** What a workload has found: lines of the table, and what does not fit into one. */
export interface Outcome {
  readonly rows: readonly Row[];
  readonly remarks: readonly string[];
}
