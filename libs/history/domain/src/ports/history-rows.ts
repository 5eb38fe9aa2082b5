import type { Attributes, InputOutcome, InputRef, Parent, Pin, RunKey, RunResult, RunStatus, SuspendReason, Transition } from '@perdure/contract';

/** A workflow id's newest run, or one run of it. */
export interface RunRef {
  readonly tenant: string;
  readonly workflowId: string;
  readonly runId?: string;
}

/**
 * What a run shows of itself. Written when it starts and when something here changes; most steps leave it alone, for the
 * number of a run's last event is the newest transition's.
 */
export interface RunRow extends RunKey, Attributes {
  /** Numbers the runs of a shard in the order in which they started; other rows name the run by it. */
  readonly number: number;
  readonly workflowType: string;
  readonly status: RunStatus;
  readonly pin: Pin;
  readonly startedAt: number;
  readonly closedAt?: number;
  readonly parent?: Parent;
  readonly chain: string;
  readonly continuedFrom?: string;
  readonly continuedTo?: string;
  readonly suspended?: SuspendReason;
  readonly trace?: string;
  /** Set when the run has closed. */
  readonly result?: RunResult;
}

/** One transition, as it is stored: its events are JSON already. */
export interface TransitionRow {
  readonly run: number;
  /** Number of the last event. */
  readonly last: number;
  readonly at: number;
  readonly bundle: string;
  readonly inputId: string;
  /** `JSON.stringify(transition.events)`. */
  readonly events: string;
  /** Rolling hash of the run's history up to and including this row (I7). */
  readonly digest: Uint8Array;
}

/** A transition read back, with the rolling hash at its end. */
export interface StoredTransition extends Transition {
  readonly digest: Uint8Array;
}

/** An input that may come twice: kept under its id with what became of it. */
export interface InputRow extends InputRef {
  /** Hash of what the input asks for; another one under the same id is refused. */
  readonly content: string;
  readonly at: number;
  /** Number of the run that it reached; absent when it reached none. */
  readonly run?: number;
  readonly outcome: InputOutcome;
}

/** A cache (I7): engine state and realm after event `last`. */
export interface SnapshotRow {
  readonly run: number;
  readonly last: number;
  /** Rolling hash of the history to `last`. */
  readonly digest: Uint8Array;
  readonly pin: Pin;
  /** The engine's state and the realm, in the processor's own encoding, with an authentication tag. */
  readonly body: Uint8Array;
}

/** All that one batch changes in history's tables. Plain data; each key occurs at most once. */
export interface HistoryCommit {
  readonly shard: number;
  /** The owner's epoch: a commit under another one than the store's fails (I3). */
  readonly epoch: number;
  /** The cursor moves `from → to`; it fails if the store's is not `from`. */
  readonly cursor: { readonly from: number; readonly to: number };
  readonly transitions: readonly TransitionRow[];
  /** New, or in the place of the row with the same number. */
  readonly runs: readonly RunRow[];
  /** New, or in the place of the row with the same id. */
  readonly inputs: readonly InputRow[];
  readonly snapshots: readonly SnapshotRow[];
  /** Runs whose snapshot is to go. */
  readonly snapshotsDropped: readonly number[];
}
