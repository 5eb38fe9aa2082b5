import type { ActivityOptions as WireOptions, RetryPolicy } from '@perdure/contract';
import { type Duration, durationMs } from '../common/duration.js';

export interface RetryOptions {
  /** Attempts in all, the first included; 0 means without bound. Default 0. */
  readonly maxAttempts?: number;
  /** Delay before the second attempt. Default 1 s. */
  readonly initialInterval?: Duration;
  /** Factor from one delay to the next, at least 1. Default 2. */
  readonly backoffCoefficient?: number;
  /** The longest delay. Default 100 × `initialInterval`. */
  readonly maxInterval?: Duration;
  /** Names of errors that are not retried. */
  readonly nonRetryableTypes?: readonly string[];
}

export interface ActivityOptions {
  /** Task queue. Default `default`. */
  readonly queue?: string;
  /** The longest one attempt may take. Default 60 s. */
  readonly startToCloseTimeout?: Duration;
  /** The longest all attempts and the waits between them may take. Default: no bound. */
  readonly scheduleToCloseTimeout?: Duration;
  /** The longest silence of an attempt before it counts as crashed. Default: no heartbeat expected. */
  readonly heartbeatTimeout?: Duration;
  readonly retry?: RetryOptions;
}

const positiveMs = (duration: Duration, what: string): number => {
  const value = durationMs(duration);
  if (value === 0) throw new TypeError(`${what} must be longer than nothing`);
  return value;
};

/** Defaults are applied here, so that history shows what held. */
export const toWireOptions = (options: ActivityOptions): WireOptions => {
  const { queue = 'default', startToCloseTimeout = 60_000, scheduleToCloseTimeout, heartbeatTimeout, retry = {} } = options;
  if (typeof queue !== 'string' || queue === '') throw new TypeError('queue must be a name');
  return {
    queue,
    startToCloseTimeoutMs: positiveMs(startToCloseTimeout, 'startToCloseTimeout'),
    ...(scheduleToCloseTimeout !== undefined && { scheduleToCloseTimeoutMs: positiveMs(scheduleToCloseTimeout, 'scheduleToCloseTimeout') }),
    ...(heartbeatTimeout !== undefined && { heartbeatTimeoutMs: positiveMs(heartbeatTimeout, 'heartbeatTimeout') }),
    retry: toWireRetry(retry),
  };
};

const toWireRetry = (retry: RetryOptions): RetryPolicy => {
  const { maxAttempts = 0, initialInterval = 1_000, backoffCoefficient = 2, maxInterval, nonRetryableTypes } = retry;
  if (!Number.isSafeInteger(maxAttempts) || maxAttempts < 0) throw new TypeError('retry.maxAttempts must be a whole number, 0 for no bound');
  if (!Number.isFinite(backoffCoefficient) || backoffCoefficient < 1) throw new TypeError('retry.backoffCoefficient must be at least 1');
  const initialIntervalMs = durationMs(initialInterval);
  const maxIntervalMs = maxInterval === undefined ? 100 * initialIntervalMs : durationMs(maxInterval);
  if (maxIntervalMs < initialIntervalMs) throw new TypeError('retry.maxInterval must not be shorter than retry.initialInterval');
  return { maxAttempts, initialIntervalMs, backoffCoefficient, maxIntervalMs, ...(nonRetryableTypes && { nonRetryableTypes }) };
};
