import type { Failure, TaskSpec } from '@perdure/contract';

/** `dropped`: its run closed meanwhile. `crashed`: its worker went silent. */
export type AttemptEnding = 'completed' | 'failed' | 'timedOut' | 'crashed' | 'cancelled' | 'dropped';

export interface ObservedAttempt {
  readonly spec: TaskSpec;
  readonly attempt: number;
  readonly token: string;
  /** When it could have started at the earliest, epoch milliseconds. */
  readonly readyMs: number;
  /** When it was handed out; absent: in an earlier life of the slice. */
  readonly startedMs?: number;
}

export interface AttemptEnd {
  readonly how: AttemptEnding;
  readonly error?: Failure;
}

/** Sees what the slice does, for metrics and traces; decides nothing. All but `handedOut` happens inside a batch, and counts only once that has committed. */
export interface SchedulerObserver {
  /** Gives the trace context for the attempt's worker. The task's own, or one below it. */
  handedOut(attempt: ObservedAttempt): string | undefined;
  attemptEnded(attempt: ObservedAttempt, end: AttemptEnd): void;
  poisoned(task: TaskSpec): void;
  /** A timer was due so long before it was looked at. */
  timerFired(latenessMs: number): void;
}
