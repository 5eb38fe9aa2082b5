import type { LogPosition } from './log.js';
import type { Origin } from './message.js';
import type { SliceWork } from './slice-machine.js';

/** One work of a batch, and what is to be committed when it is done. */
export interface Item {
  readonly work: SliceWork;
  readonly origin?: Origin;
  /** Position after it, for a record of the log. */
  readonly position?: LogPosition;
  /** Names it across owners. */
  readonly name: string;
}
