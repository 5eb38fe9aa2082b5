import type { Failure, Outcome, TaskSpec, TimeoutKind } from '@perdure/contract';
import type { SchedulerLimits } from './scheduler-limits.js';
import type { TaskState } from './task-row.js';

/** How an attempt ended that did not complete. */
export type Ending =
  | { readonly kind: 'failed'; readonly error: Failure; readonly retryAfterMs?: number }
  | { readonly kind: 'timedOut' }
  /** `why` reads after "the worker ". */
  | { readonly kind: 'crashed'; readonly why: string };

export type Verdict = { readonly close: Outcome } | { readonly state: TaskState };

export interface Circumstances {
  readonly now: number;
  readonly random: () => number;
  readonly limits: SchedulerLimits;
}

/** Pure: what follows an attempt that did not complete, closing or another attempt. */
export const afterAttempt = (spec: TaskSpec, state: TaskState, { ending, now, random, limits }: Circumstances & { readonly ending: Ending }): Verdict => {
  const counted = count(state, { ending, now, limits });
  if (isLast(spec, counted, ending)) return { close: closing(spec, state, ending) };
  const notBefore = now + delayOf(spec, counted, { ending, random, limits });
  if (notBefore >= scheduleToCloseDeadline(spec)) return { close: closing(spec, state, ending) };
  return { state: { ...counted, attempt: state.attempt + 1, notBefore } };
};

/** Infinity without one. */
export const scheduleToCloseDeadline = ({ at, options }: TaskSpec): number => (options.scheduleToCloseTimeoutMs === undefined ? Infinity : at + options.scheduleToCloseTimeoutMs);

export const timedOut = (spec: TaskSpec, state: TaskState, { timeout, why }: { readonly timeout: TimeoutKind; readonly why: string }): Outcome => ({
  status: 'timedOut',
  timeout,
  error: {
    type: 'TimedOut',
    message: `Activity "${spec.name}" ${why} (attempt ${state.attempt}).`,
    code: timeout,
    retryable: false,
    ...(state.lastFailure === undefined ? {} : { cause: state.lastFailure }),
  },
});

export const cancelled = (spec: TaskSpec, error?: Failure): Outcome => ({
  status: 'cancelled',
  error: error ?? { type: 'Cancelled', message: `Activity "${spec.name}" was cancelled.`, retryable: false },
});

/** Crashes are kept apart from failures; what is not a crash ends their row, but a poisoned task stays poisoned until it closes. */
const count = (state: TaskState, { ending, now, limits }: { readonly ending: Ending; readonly now: number; readonly limits: SchedulerLimits }): TaskState => {
  if (ending.kind !== 'crashed') {
    const lastFailure = ending.kind === 'failed' ? ending.error : state.lastFailure;
    const crashesInRow = state.poisonedAt === undefined ? 0 : state.crashesInRow;
    return { ...state, failures: state.failures + 1, crashesInRow, ...(lastFailure === undefined ? {} : { lastFailure }) };
  }
  const crashesInRow = state.crashesInRow + 1;
  const poisonedAt = state.poisonedAt ?? (crashesInRow >= limits.crashesToPoison ? now : undefined);
  return { ...state, crashes: state.crashes + 1, crashesInRow, ...(poisonedAt === undefined ? {} : { poisonedAt }) };
};

const isLast = ({ options: { retry } }: TaskSpec, counted: TaskState, ending: Ending): boolean => {
  if (counted.cancelRequested) return true;
  if (retry.maxAttempts > 0 && counted.failures + counted.crashes >= retry.maxAttempts) return true;
  return ending.kind === 'failed' && (ending.error.retryable === false || (retry.nonRetryableTypes?.includes(ending.error.type) ?? false));
};

const closing = (spec: TaskSpec, state: TaskState, ending: Ending): Outcome => {
  if (ending.kind === 'failed') return { status: 'failed', error: ending.error };
  if (ending.kind === 'timedOut') return timedOut(spec, state, { timeout: 'startToClose', why: `did not end within ${spec.options.startToCloseTimeoutMs} ms` });
  return state.cancelRequested ? cancelled(spec) : timedOut(spec, state, { timeout: 'heartbeat', why: `was lost: its worker ${ending.why}` });
};

const delayOf = ({ options: { retry } }: TaskSpec, counted: TaskState, { ending, random, limits }: { readonly ending: Ending; readonly random: () => number; readonly limits: SchedulerLimits }): number => {
  if (ending.kind === 'failed' && ending.retryAfterMs !== undefined) return Math.max(0, ending.retryAfterMs);
  if (ending.kind === 'crashed') {
    const rung = counted.crashesInRow - limits.crashesToPoison;
    if (rung >= 0) return limits.poisonDelaysMs[Math.min(rung, limits.poisonDelaysMs.length - 1)]!;
    // The silence that told of the crash was delay enough.
    if (counted.crashesInRow === 1) return 0;
  }
  const step = counted.failures + counted.crashes - 1;
  const delay = Math.min(retry.maxIntervalMs, retry.initialIntervalMs * retry.backoffCoefficient ** Math.min(step, 1_000));
  // Jitter only ever shortens: no delay is longer than the policy says.
  return Math.max(0, Math.round(delay * (0.8 + 0.2 * random())));
};
