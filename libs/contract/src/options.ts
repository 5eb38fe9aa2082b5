import type { Json, JsonObject, Scalar } from './json.js';

/** All times in milliseconds. Defaults are applied by the SDK when the command is made, so that history shows what held. */
export interface RetryPolicy {
  /** Attempts in all, the first included; 0 means without bound. Default 0. */
  readonly maxAttempts: number;
  /** Delay before the second attempt. Default 1,000. */
  readonly initialIntervalMs: number;
  /** Factor from one delay to the next. Default 2. */
  readonly backoffCoefficient: number;
  /** The longest delay. Default 100 × `initialIntervalMs`. */
  readonly maxIntervalMs: number;
  /** Failure types that are not retried. */
  readonly nonRetryableTypes?: readonly string[];
}

export interface ActivityOptions {
  /** Task queue; default `default`. */
  readonly queue: string;
  /** The longest one attempt may take. Default 60,000. */
  readonly startToCloseTimeoutMs: number;
  /** The longest all attempts and the waits between them may take. Absent: no bound. */
  readonly scheduleToCloseTimeoutMs?: number;
  /** The longest silence of an attempt before it counts as crashed. Absent: no heartbeat expected. */
  readonly heartbeatTimeoutMs?: number;
  readonly retry: RetryPolicy;
}

export type ParentClosePolicy = 'terminate' | 'cancel' | 'abandon';

/** What a run shows of itself beside its state. `memo` is free; search attributes can be listed by. */
export interface Attributes {
  readonly memo?: JsonObject;
  readonly searchAttributes?: Readonly<Record<string, Scalar | readonly string[]>>;
}

/** A step of a saga: an activity that takes back another. */
export interface UndoStep {
  /** Rising per run; keys the undo as `…/undo/undoSeq`. */
  readonly undoSeq: number;
  /** Which saga of the run it belongs to (a run may have several). */
  readonly saga: number;
  /** The activity it takes back. */
  readonly activitySeq: number;
  /** Name of the undo activity. */
  readonly name: string;
  readonly options: ActivityOptions;
}

/** What an undo activity receives as its input. */
export interface UndoInput {
  /** The input of the activity that is taken back. */
  readonly input?: Json;
  /** The idempotency key under which that activity ran. */
  readonly idempotencyKey: string;
  /** Its result, if it is known to have completed. */
  readonly result?: Json;
}
