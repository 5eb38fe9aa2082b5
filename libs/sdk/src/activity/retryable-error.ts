import { durationMs, type Duration } from '../common/duration.js';

/**
 * Thrown by an activity that knows when it is worth trying again. (Any other `Error` is tried again too, under the activity's retry policy.)
 *
 * @example throw new RetryableError('The carrier asks for patience', { retryAfter: '30s' });
 */
export class RetryableError extends Error {
  override readonly name = 'RetryableError';
  readonly retryable = true;
  readonly code?: string;
  readonly details?: unknown;
  /** Delay before the next attempt in place of the policy's, milliseconds. */
  readonly retryAfterMs?: number;

  /** @throws PerdureError `invalid-duration` */
  constructor(message: string, options: { readonly retryAfter?: Duration; readonly code?: string; readonly details?: unknown; readonly cause?: unknown } = {}) {
    super(message, options.cause === undefined ? undefined : { cause: options.cause });
    if (options.retryAfter !== undefined) this.retryAfterMs = durationMs(options.retryAfter);
    if (options.code !== undefined) this.code = options.code;
    if (options.details !== undefined) this.details = options.details;
  }
}
