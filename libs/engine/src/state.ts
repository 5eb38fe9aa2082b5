import type { ActivityOptions, Attributes, Json, Parent, ParentClosePolicy, Pin, RunKey, RunStatus, SuspendReason, WaitSpec } from '@perdure/contract';

/**
 * What a run is between two transitions: a plain JSON object, stored beside the history that it is the fold of.
 *
 * 1. It is a function of the history alone: folding the stored transitions gives a deeply equal state.
 * 2. It is bounded by what is pending (I9): payloads stay in history, but for the inputs and results that an undo step needs.
 * 3. Only `Engine.settle`, `Engine.suspend` and `Engine.evolve` change it, in place.
 *
 * Optional members are left out, never `undefined`, so that it survives JSON unchanged.
 */
export interface RunState {
  readonly run: RunKey;
  readonly workflowType: string;
  status: RunStatus;
  /** The last pin: of `started`, or of the last `repinned` (I6). */
  pin: Pin;
  /** The first run of the chain; events are consumed once per chain. */
  readonly chain: string;
  readonly continuedFrom?: string;
  /** Set when it has continued as new. */
  continuedTo?: string;
  readonly parent?: Parent;
  /** W3C traceparent of the run's root span; every task of the run carries it. */
  readonly trace?: string;
  readonly runTimeoutMs?: number;
  attributes: Attributes;
  readonly startedAt: number;
  closedAt?: number;
  /** Digest of the input it was started with: tells a repeated start from a conflicting one. */
  readonly inputDigest: string;

  /** Number and time of its last event. */
  lastEvent: number;
  lastAt: number;
  /** The highest `seq` that its code has used. */
  lastSeq: number;
  lastUndoSeq: number;

  /** What has been asked for and is not settled, by seq. */
  activities: Record<string, PendingActivity>;
  timers: Record<string, PendingTimer>;
  waits: Record<string, PendingWait>;
  children: Record<string, PendingChild>;
  /** Signals and cancel requests to other runs. */
  signals: Record<string, true>;
  /** `compensate` commands that are being carried out. */
  compensations: Record<string, true>;
  /** How many the six above hold together. */
  pending: number;

  /** Registered undo steps that may have something to take back, first registered first. */
  undo: UndoRecord[];
  /** Ids of accepted updates whose handlers have not finished. */
  updates: string[];
  /** The last events it took from offers, newest last: a repeated offer is not given back. At most `OFFERS_REMEMBERED_MAX`. */
  taken: TakenEvent[];
  cancelRequested: boolean;
  /** Why it is suspended; set if and only if `status` is `suspended`. */
  suspended?: SuspendReason;
  /** Numbers of the job events that were recorded and not activated, in history order. `resumed` activates them. */
  deferred: number[];
  /** A terminated run whose undo list is being carried out. */
  rollingBack?: true;
}

export interface PendingActivity {
  readonly name: string;
  cancelRequested?: true;
}
export interface PendingTimer {
  readonly dueMs: number;
}
export interface PendingWait {
  readonly wait: WaitSpec;
  /** When it times out; absent: never. */
  readonly dueMs?: number;
}
export interface PendingChild {
  readonly workflowId: string;
  readonly closePolicy: ParentClosePolicy;
  /** Set by `childStarted`. */
  runId?: string;
}

/** An undo step with what is known of the activity that it takes back. */
export interface UndoRecord {
  readonly undoSeq: number;
  readonly saga: number;
  readonly activitySeq: number;
  readonly name: string;
  readonly options: ActivityOptions;
  /** `registered`: not scheduled yet, nothing to take back. `unknown`: pending, timed out or cancelled. A failed one leaves the list. */
  activity: 'registered' | 'unknown' | 'completed';
  input?: Json;
  result?: Json;
}

export interface TakenEvent {
  /** The wait's. */
  readonly seq: number;
  readonly source: string;
  readonly id: string;
}

/** A repeated offer follows its first within seconds; so many of one run are told apart. */
export const OFFERS_REMEMBERED_MAX = 16;
