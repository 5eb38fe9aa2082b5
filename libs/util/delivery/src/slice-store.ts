import type { Guards } from '@perdure/guards';
import { ALL_GUARDS } from '@perdure/guards';
import type { IntakeChanges } from './intake.js';
import type { LogPosition } from './log.js';
import type { MarkRow } from './marks.js';
import type { OutboxChanges, OutboxRow } from './outbox.js';
import { StoreFault } from './store-fault.js';
import type { TombstoneRow } from './tombstones.js';

/** The slice's own row, and delivery's rows beside it. */
export interface SliceHead {
  /** The owner's; 0: it has had none. */
  readonly epoch: number;
  /** Rises by one with each commit. */
  readonly cursor: number;
  readonly log?: LogPosition;
  /** The last owner let go of it; otherwise it died, or was replaced. */
  readonly isClean: boolean;
  /** Works whose tries are counted: owners died over them, or have not said yet that they live. */
  readonly tried: readonly string[];
  readonly outbox: readonly OutboxRow[];
  readonly lastNumbers: Readonly<Record<string, number>>;
  readonly marks: readonly MarkRow[];
  readonly tombstones: readonly TombstoneRow[];
}

/** One batch: the service's rows and delivery's own, in one transaction. */
export interface SliceCommit<Rows> {
  readonly epoch: number;
  readonly cursor: { readonly from: number; readonly to: number };
  readonly log?: LogPosition;
  readonly rows: Rows | undefined;
  readonly outbox: OutboxChanges;
  readonly intake: IntakeChanges;
  /** Works whose tries are no longer to be counted. */
  readonly triesDropped: readonly string[];
}

/** The store of one slice. What its owner holds in memory follows from it. */
export abstract class SliceStore<Rows> {
  abstract head(): Promise<SliceHead>;
  /** The slice's epoch now. */
  abstract epoch(): Promise<number>;
  /** Moves the epoch from `from` to `from + 1`, durably, and marks the slice as not let go. @throws StoreFault `staleOwner` when it is not `from` */
  abstract takeOver(from: number): Promise<void>;
  /** All or nothing, and only if `checkFence` holds for the head in the same transaction. @throws StoreFault */
  abstract commit(commit: SliceCommit<Rows>): Promise<void>;
  /**
   * Notes, durably, that the owner of this epoch begins to try the work, and gives how many owners have (the same one counts once).
   * @throws StoreFault `staleOwner` when the epoch is not the slice's
   */
  abstract countTry(epoch: number, work: string): Promise<number>;
  /** The owner of this epoch, which may be a stale one by now, has lived through its try: it does not count. */
  abstract survived(epoch: number, work: string): Promise<void>;
  /** The owner lets go: the next one need not be careful. Does nothing if the epoch is not the slice's. */
  abstract release(epoch: number): Promise<void>;
}

/** I3: what every store asks before it writes. @throws StoreFault `staleOwner` */
export function checkFence(head: Pick<SliceHead, 'epoch' | 'cursor'>, commit: { readonly epoch: number; readonly cursor: { readonly from: number } }, guards: Guards = ALL_GUARDS): void {
  if (commit.epoch !== head.epoch && guards.has('epochCheck')) throw new StoreFault('staleOwner', `the slice is at epoch ${head.epoch}; the batch was made at epoch ${commit.epoch}`);
  if (commit.cursor.from !== head.cursor && guards.has('cursorCompareAndSet')) throw new StoreFault('staleOwner', `the slice is at cursor ${head.cursor}; the batch was made at ${commit.cursor.from}`);
}
