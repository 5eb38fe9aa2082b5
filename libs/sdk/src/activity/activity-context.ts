import { AsyncLocalStorage } from 'node:async_hooks';
import type { RunKey } from '@perdure/contract';

/** Facts about the attempt. */
export interface ActivityInfo {
  /** The activity's name. */
  readonly name: string;
  readonly run: RunKey;
  readonly workflowType: string;
  /** The activity's number within its run. */
  readonly seq: number;
  /** `undo` for an activity that takes back another. */
  readonly role: 'activity' | 'undo';
  readonly queue: string;
  /** Hash of the workflow's bundle. */
  readonly bundle: string;
  /** Names this attempt: what completes it later through the API, after `completeLater()`. */
  readonly token: string;
  /** When this attempt is given up, epoch milliseconds. */
  readonly deadline: number;
  /** W3C traceparent. */
  readonly trace?: string;
}

/** What an activity may know and do about its own attempt. */
export interface ActivityContext {
  /** The same for all attempts of this activity: pass it on to whatever should do the thing once. */
  readonly idempotencyKey: string;
  /** 1 for the first. */
  readonly attempt: number;
  /** Aborts when the attempt should stop: it was cancelled, timed out, or its worker must go. */
  readonly signal: AbortSignal;
  /** The progress that an earlier attempt, or this one, last reported. */
  readonly progress: unknown;
  readonly info: ActivityInfo;
  /**
   * Says that the attempt lives, and how far it is. Cheap: call it as often as you like, it is sent now and then.
   * Only needed where the activity has a `heartbeatTimeout`, or to keep progress for the next attempt.
   */
  heartbeat(progress?: unknown): void;
}

const STORAGE = Symbol.for('perdure.activity');

/** One per process even if the package was loaded twice: a worker from one copy serves activities from the other. */
const storage = ((globalThis as { [STORAGE]?: AsyncLocalStorage<ActivityContext> })[STORAGE] ??= new AsyncLocalStorage<ActivityContext>());

/**
 * The attempt that the calling code belongs to. Destructure it freely.
 *
 * @throws Error outside of an activity
 * @example
 * export async function charge(order: Order): Promise<Payment> {
 *   const { idempotencyKey, signal } = activity();
 *   return payments.charge(order.amount, { idempotencyKey, signal });
 * }
 */
export const activity = (): ActivityContext => {
  const context = storage.getStore();
  if (!context) throw new Error('activity() was called outside of an activity. In a unit test, call it through withActivity(), or run its workflow in a TestWorld of "@perdure/sdk/testing".');
  return context;
};

/** Runs `run` as the attempt that `context` describes. For workers and test doubles. */
export const withActivity = <Result>(context: ActivityContext, run: () => Result): Result => storage.run(context, run);
