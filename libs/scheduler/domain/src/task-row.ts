import type { Failure, Json, RunKey, TaskSpec } from '@perdure/contract';

/** A task that has not closed. Written when it is scheduled, deleted when it closes. */
export interface TaskRow {
  /** `idempotencyKeyOf(spec)`: unique. */
  readonly key: string;
  /** Rising per slice: the order in which tasks were scheduled. */
  readonly order: number;
  /** Never changes after the row was written. */
  readonly spec: TaskSpec;
  readonly state: TaskState;
}

/** The small part of a row that changes. A first attempt that just succeeds never changes it. */
export interface TaskState {
  /** The attempt that runs, or is to be handed out next: 1, 2, 3… */
  readonly attempt: number;
  /** Attempts that failed or passed their start-to-close timeout. */
  readonly failures: number;
  /** Attempts whose worker went silent. */
  readonly crashes: number;
  /** Crashes since an attempt last ended in another way; three make the task poisoned. */
  readonly crashesInRow: number;
  /** The attempt is not handed out before, epoch milliseconds. 0: at once. */
  readonly notBefore: number;
  /** When its current row of crashes made it poisoned, epoch milliseconds. */
  readonly poisonedAt?: number;
  /** How often its run was suspended for it. */
  readonly suspensions?: number;
  readonly cancelRequested?: boolean;
  /** Set while the attempt completes later through the API. */
  readonly accepted?: AcceptedAttempt;
  /** The epoch in which the attempt was handed out although an earlier one may have done so, too: from then on those tokens are void. */
  readonly handedOutAnewIn?: number;
  /** The last progress token of a heartbeat. */
  readonly progress?: Json;
  readonly lastFailure?: Failure;
}

export interface AcceptedAttempt {
  readonly token: string;
  /** When it is given up, epoch milliseconds. */
  readonly deadline: number;
}

export interface TimerRow {
  /** Unique per run and seq. */
  readonly key: string;
  readonly run: RunKey;
  readonly seq: number;
  readonly dueMs: number;
}

export type TaskChange =
  | { readonly kind: 'putTask'; readonly row: TaskRow }
  /** The row exists; only its `state` changes. */
  | { readonly kind: 'updateTask'; readonly key: string; readonly state: TaskState }
  | { readonly kind: 'deleteTask'; readonly key: string };

export type TimerChange =
  /** New, or in the place of one with the same key. */
  | { readonly kind: 'putTimer'; readonly row: TimerRow }
  | { readonly kind: 'deleteTimer'; readonly key: string };

/** To be applied in order. */
export type SchedulerChange = TaskChange | TimerChange;
