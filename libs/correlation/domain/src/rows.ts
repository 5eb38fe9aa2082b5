import type { ExternalEvent, RunKey, WaitSpec } from '@perdure/contract';

/**
 * A wait that is not done with.
 * - neither `offered` nor `closed`: open, and to be offered the next event that fits
 * - `offered`: its run has been asked and has not answered; `closed` as well: the run's wait is over, and the answer still to come
 * - `closed` alone: a tombstone, for a close that came before its open (I4)
 */
export interface WaitRow {
  /** Unique per run and seq. */
  readonly key: string;
  readonly run: RunKey;
  readonly seq: number;
  /** The chain of runs that it belongs to. */
  readonly chain: string;
  readonly wait: WaitSpec;
  /** Rising per slice: the oldest wait is served first. */
  readonly order: number;
  readonly openedAt: number;
  /** Arrival of the event that it holds. */
  readonly offered?: number;
  readonly closed?: true;
}

/** - `buffered`: nobody has taken it · `offered`: a run is asked · `spent`: a run took it; only its identity is kept, against repeats */
export type EventState = 'buffered' | 'offered' | 'spent';

/** What is kept in memory of a buffered event; the event itself stays in the archive. */
export interface EventHead {
  /** Rising per slice: the order of arrival. */
  readonly arrival: number;
  readonly arrivedAt: number;
  readonly tenant: string;
  readonly type: string;
  readonly keys: ExternalEvent['keys'];
}

export interface StoredEvent extends EventHead {
  readonly state: EventState;
  readonly event: ExternalEvent;
}

export interface EventIdentity {
  readonly tenant: string;
  readonly source: string;
  readonly id: string;
}

/** At most one of each kind per wait or event, and in an order in which they can be applied one by one. */
export type CorrelationChange =
  /** The key is not there, or was deleted by the change before. */
  | { readonly kind: 'putWait'; readonly row: WaitRow }
  | { readonly kind: 'deleteWait'; readonly key: string }
  /** An event that came and was taken in one batch is put as `spent`: then `event` is its identity alone. */
  | { readonly kind: 'putEvent'; readonly row: StoredEvent }
  /** `spent` lets its data go. */
  | { readonly kind: 'markEvent'; readonly arrival: number; readonly state: EventState }
  /** Forget what arrived before: buffered events nobody took, and the identities of spent ones. */
  | { readonly kind: 'sweepEvents'; readonly bufferedBeforeMs: number; readonly spentBeforeMs: number };
