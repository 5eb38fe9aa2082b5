import { PerdureError, toPerdureError } from '@perdure/contract';
import { backoffMs } from './backoff.js';
import type { DeliveryLimits } from './delivery-limits.js';
import type { SliceCommit, SliceStore } from './slice-store.js';
import { isStoreFault, StoreFault } from './store-fault.js';

/** The owner must not go on: the slice is another's, or nobody can tell what became of the batch. */
export class StepDown extends PerdureError {
  override readonly name = 'StepDown';
  constructor(cause: PerdureError) {
    super('not-owner', cause.message, { cause });
  }
}
export const isStepDown = (error: unknown): error is StepDown => error instanceof Error && error.name === 'StepDown';

interface Trying {
  readonly limits: DeliveryLimits;
  readonly random: () => number;
  readonly pause: (ms: number) => Promise<void>;
}

/**
 * Commits a batch, whatever the store says (I3).
 *
 * 1. Only the identical transaction is tried again, and only after the slice's row was read anew.
 * 2. Once an outcome is unknown the batch is never taken back: it might land later. Either the row shows what became of it, or the
 *    owner steps down, and the next epoch fences it off.
 *
 * @throws StepDown; StoreFault `contentRefused`, `unavailable`: then nothing was committed, and nothing will be
 */
export async function commitBatch<Rows>(store: SliceStore<Rows>, commit: SliceCommit<Rows>, { limits, random, pause }: Trying): Promise<void> {
  let mayHaveLanded = false;
  for (let tries = 0; ; tries++) {
    const fault = await faultOf(() => store.commit(commit));
    if (!fault) return;
    const isStale = fault.fault === 'staleOwner';
    if (!mayHaveLanded && (isStale || fault.fault === 'contentRefused')) throw isStale ? new StepDown(fault) : fault;
    mayHaveLanded ||= fault.fault === 'commitUnknown';
    if (tries >= limits.commitTriesMax) throw mayHaveLanded ? new StepDown(fault) : fault;
    await pause(backoffMs(tries, { firstMs: limits.retryAfterMs, maxMs: limits.retryAfterMsMax, random }));
    if (mayHaveLanded && (await hasLanded(store, commit))) return;
  }
}

/** `undefined` row: it cannot be read now. @throws StepDown */
async function hasLanded<Rows>(store: SliceStore<Rows>, { epoch, cursor }: SliceCommit<Rows>): Promise<boolean> {
  let head;
  try {
    head = await store.head();
  } catch (thrown) {
    if (isStoreFault(thrown) && thrown.fault === 'unavailable') return false;
    throw new StepDown(toPerdureError(thrown));
  }
  if (head.epoch !== epoch) throw new StepDown(new StoreFault('staleOwner', `the slice is at epoch ${head.epoch}, the batch was made at ${epoch}`));
  // Nobody else commits under this epoch, and this owner nothing but this batch: so the cursor tells.
  return head.cursor === cursor.to;
}

async function faultOf(run: () => Promise<void>): Promise<StoreFault | undefined> {
  try {
    await run();
    return undefined;
  } catch (thrown) {
    if (isStoreFault(thrown)) return thrown;
    // Not in the store's own words: what became of it, nobody can tell.
    throw new StepDown(toPerdureError(thrown));
  }
}
