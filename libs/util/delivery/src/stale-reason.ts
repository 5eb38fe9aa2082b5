import { toPerdureError, type PerdureError } from '@perdure/contract';
import { StepDown } from './commit-batch.js';
import { isLogMismatch } from './log.js';
import type { SliceName } from './message.js';
import type { SliceStore } from './slice-store.js';
import { StoreFault } from './store-fault.js';

interface Owner {
  readonly slice: SliceName;
  readonly epoch: number;
  readonly store: Pick<SliceStore<never>, 'epoch'>;
}

/**
 * Why an owner could not go on. To a stale one a log seems cut that is only trimmed: another has archived what this one has not read. Nothing is wrong with the log
 * then, and no operator must look.
 */
export async function reasonOf(thrown: unknown, { slice, epoch, store }: Owner): Promise<PerdureError> {
  const error = toPerdureError(thrown);
  if (!isLogMismatch(error)) return error;
  try {
    const now = await store.epoch();
    return now === epoch ? error : new StepDown(new StoreFault('staleOwner', `${slice} is at epoch ${now}, its log was read at ${epoch}`));
  } catch (again) {
    return toPerdureError(again);
  }
}
