import type { ExternalEvent, RunKey, WaitSpec } from '@perdure/contract';

/** A wait that has not been settled. */
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

export type CorrelationChange =
  | { readonly kind: 'putWait'; readonly row: WaitRow }
  | { readonly kind: 'deleteWait'; readonly key: string }
  | { readonly kind: 'putEvent'; readonly row: StoredEvent }
  /** `spent` lets its data go. */
  | { readonly kind: 'markEvent'; readonly arrival: number; readonly state: EventState }
  /** Forget what arrived before: buffered events nobody took, and the identities of spent ones. */
  | { readonly kind: 'sweepEvents'; readonly bufferedBeforeMs: number; readonly spentBeforeMs: number };
