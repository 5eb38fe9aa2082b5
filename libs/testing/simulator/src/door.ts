import type { Events, Workflows } from '@perdure/ingestion';
import type { SimProcess } from './sim-process.js';

/** An instance of ingestion, and the process it is in. */
export interface Door {
  readonly process: SimProcess;
  readonly workflows: Workflows;
  readonly events: Events;
}
