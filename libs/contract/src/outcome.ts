import type { Json } from './json.js';

/** An error as data: how it crosses every boundary (worker → scheduler → history → realm → client). */
export interface Failure {
  /** The error's class or name: `Error`, `TerminalError`, `TypeError`, `Cancelled`, `TimedOut`, … */
  readonly type: string;
  readonly message: string;
  readonly stack?: string;
  /** A stable code of the user's or of Perdure's own. */
  readonly code?: string;
  /** `false` stops retries at once. Absent means true for an activity's error. */
  readonly retryable?: boolean;
  readonly details?: Json;
  readonly cause?: Failure;
}

export type TimeoutKind = 'startToClose' | 'scheduleToClose' | 'heartbeat';

/** How an activity, a child run, a compensation or an update ended. `value` is absent for `undefined`. */
export type Outcome =
  | { readonly status: 'completed'; readonly value?: Json }
  | { readonly status: 'failed'; readonly error: Failure }
  | { readonly status: 'timedOut'; readonly timeout: TimeoutKind; readonly error: Failure }
  | { readonly status: 'cancelled'; readonly error: Failure };
