import type { Links } from './intake.js';
import type { LogBody } from './log.js';
import type { MessageBody, SliceName } from './message.js';

/** Of a batch that is done with. */
export interface CommittedBatch {
  /** What was in it, repeats apart. */
  readonly works: number;
  /** It needed a transaction. */
  readonly isWritten: boolean;
}

/** Sees what became of each batch of a machine. */
export interface BatchObserver {
  committed(batch: CommittedBatch): void;
  /** It was not committed, as far as its owner knows. */
  takeBack(): void;
}

/** What a slice is given, in order: a record of its log, or a message of another slice. */
export type SliceWork = LogBody | { readonly kind: 'message'; readonly body: MessageBody };

/** What it sends once its batch is committed. */
export interface Outgoing {
  readonly destination: SliceName;
  readonly body: MessageBody;
}

/**
 * A service's rules for one slice, as its owner drives them. It is made anew for each epoch.
 *
 *     outgoing = await machine.take(works)      // memory only
 *     rows = machine.takeRows()                 // committed together with `outgoing` and the cursor
 *     machine.committed()                       // or, if the commit failed: await machine.takeBack()
 */
export abstract class SliceMachine<Rows> {
  /** Also called with nothing, when the machine has asked for a batch by its `wake`. Throws what may pass, or for works that cannot be taken. */
  abstract take(works: readonly SliceWork[]): Promise<readonly Outgoing[]>;
  /** For the one work of a batch that cannot be taken or stored: what is to be recorded in its place (I10). */
  abstract refuse(work: SliceWork, error: Error): Promise<readonly Outgoing[]>;
  /** What the batch has changed; `undefined` for nothing. */
  abstract takeRows(): Rows | undefined;
  abstract committed(): void;
  /** The batch did not commit: memory is as the store says. */
  abstract takeBack(): Promise<void>;
  /** Which messages undo which others. */
  abstract linksOf(body: MessageBody): Links;
  /** The owner steps down. */
  abstract close(): void;
}
