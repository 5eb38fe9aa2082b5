import { PerdureError, type ProblemCode } from '@perdure/contract';

/**
 * What can be wrong with a commit, told apart by what the owner must do:
 * - `staleOwner`: another owner has the shard, or the cursor is not where it was left. Step down (I3).
 * - `commitUnknown`: it may or may not have been committed. Open anew and read the cursor.
 * - `contentRefused`: this batch cannot be stored as it is. Retry input by input, refuse the one at fault.
 * - `unavailable`: nothing was committed; the store cannot take it now. Take back, answer `unavailable`.
 */
export type StoreFaultKind = 'staleOwner' | 'commitUnknown' | 'contentRefused' | 'unavailable';

const CODES = {
  staleOwner: 'not-owner',
  commitUnknown: 'unavailable',
  contentRefused: 'limit-exceeded',
  unavailable: 'unavailable',
} as const satisfies Record<StoreFaultKind, ProblemCode>;

export class StoreFault extends PerdureError {
  override readonly name = 'StoreFault';
  readonly fault: StoreFaultKind;

  constructor(fault: StoreFaultKind, message: string, cause?: unknown) {
    super(CODES[fault], message, { cause });
    this.fault = fault;
  }
}

export const isStoreFault = (error: unknown): error is StoreFault => error instanceof Error && error.name === 'StoreFault';
