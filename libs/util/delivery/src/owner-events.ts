import type { PerdureError } from '@perdure/contract';
import type { SliceName } from './message.js';
import type { SliceWork } from './slice-machine.js';

/** For the operator, and for who decides which node owns what. */
export interface OwnerEvents {
  /** It will not commit any more. `error`: why. */
  steppedDown?(slice: SliceName, error: PerdureError): void;
  /** A turn came to nothing, and is tried again soon: the log or the store did not answer. */
  paused?(slice: SliceName, error: PerdureError): void;
  takenBack?(slice: SliceName, error: PerdureError): void;
  /** The work was refused; it harms nothing but itself (I10). */
  refused?(slice: SliceName, work: SliceWork, error: Error): void;
  /** A message could not be appended to a log, and will be sent again. */
  notAppended?(slice: SliceName, error: PerdureError): void;
}
