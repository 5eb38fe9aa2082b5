import type { TimeoutKind } from '@perdure/contract';

export interface SdkErrorOptions {
  readonly cause?: unknown;
  /** A stable code of your own; it travels with the failure. */
  readonly code?: string;
  /** Anything that is JSON; it travels with the failure. */
  readonly details?: unknown;
}

/** Base of the errors below. Tell them by `name`: it is stable across realms, processes and bundles. */
class SdkError extends Error {
  // Declared alone: a field would be there, and shown, where nobody set it.
  declare readonly code?: string;
  declare readonly details?: unknown;

  constructor(message: string, options: SdkErrorOptions = {}) {
    super(message, options.cause === undefined ? undefined : { cause: options.cause });
    if (options.code !== undefined) this.code = options.code;
    if (options.details !== undefined) this.details = options.details;
  }
}

/**
 * Thrown by an activity that should not be tried again.
 *
 * @example throw new TerminalError('The card was reported stolen', { code: 'card-stolen' });
 */
export class TerminalError extends SdkError {
  override readonly name = 'TerminalError';
  readonly retryable = false;
}

/** What an `await` rejects with when the run (or the thing awaited) was asked to stop. Let through by the workflow function after a cancel request, it ends the run as cancelled. */
export class Cancelled extends SdkError {
  override readonly name = 'Cancelled';

  constructor(message = 'The run was asked to stop', options: SdkErrorOptions = {}) {
    super(message, options);
  }
}

/** What was awaited did not come in time. */
export class TimedOut extends SdkError {
  override readonly name = 'TimedOut';
  /** Which timeout of an activity it was; absent for waits and conditions. */
  declare readonly timeout?: TimeoutKind;

  constructor(message: string, options: SdkErrorOptions & { readonly timeout?: TimeoutKind } = {}) {
    super(message, options);
    if (options.timeout !== undefined) this.timeout = options.timeout;
  }
}

/** An activity failed for good; `cause` is its last error. */
export class ActivityFailed extends SdkError {
  override readonly name = 'ActivityFailed';
  readonly activity: string;
  /** Set when it failed by a timeout. */
  declare readonly timeout?: TimeoutKind;

  constructor(message: string, options: SdkErrorOptions & { readonly activity: string; readonly timeout?: TimeoutKind }) {
    super(message, options);
    this.activity = options.activity;
    if (options.timeout !== undefined) this.timeout = options.timeout;
  }
}

/** A child run could not be started, failed or was terminated; `cause` is its error. */
export class ChildFailed extends SdkError {
  override readonly name = 'ChildFailed';
  readonly workflowType: string;
  readonly workflowId: string;

  constructor(message: string, options: SdkErrorOptions & { readonly workflowType: string; readonly workflowId: string }) {
    super(message, options);
    this.workflowType = options.workflowType;
    this.workflowId = options.workflowId;
  }
}

/** A saga's undo steps could not all be carried out; `cause` is the error. */
export class CompensationFailed extends SdkError {
  override readonly name = 'CompensationFailed';
}

/** A signal or cancel request did not reach the other run; `cause` says why. */
export class SignalFailed extends SdkError {
  override readonly name = 'SignalFailed';
}

/** Whether `error` is one of Perdure's errors of that name, also when it comes from another realm or process. */
export const isErrorNamed = (error: unknown, name: string): error is Error => error instanceof Error && error.name === name;
