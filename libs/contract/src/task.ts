import type { Json } from './json.js';
import type { Failure } from './outcome.js';
import type { RunKey } from './run.js';

/** What a worker receives for one attempt. */
export interface TaskEnvelope {
  /** Names this attempt: an answer must bring it back. It carries the owner's epoch and the attempt (the fence of I8). */
  readonly token: string;
  readonly run: RunKey;
  readonly seq: number;
  readonly role: 'activity' | 'undo';
  readonly name: string;
  readonly input?: Json;
  readonly bundle: string;
  readonly workflowType: string;
  readonly queue: string;
  /** 1, 2, 3… */
  readonly attempt: number;
  readonly epoch: number;
  /** The same for all attempts. */
  readonly idempotencyKey: string;
  /** When this attempt is given up, epoch milliseconds. */
  readonly deadline: number;
  readonly heartbeatTimeoutMs?: number;
  /** The last progress token of an earlier attempt. */
  readonly progress?: Json;
  readonly trace?: string;
}

/** An activity, or an undo step, that has not closed, as its operator sees it. */
export interface TaskView {
  readonly run: RunKey;
  readonly seq: number;
  readonly role: 'activity' | 'undo';
  readonly name: string;
  readonly queue: string;
  /** Epoch milliseconds. */
  readonly scheduledAt: number;
  /** The attempt that runs, or is the next: 1, 2, 3… */
  readonly attempt: number;
  /** Attempts that failed or timed out. */
  readonly failures: number;
  /** Attempts whose worker went silent. */
  readonly crashes: number;
  /** The attempt is not handed out before, epoch milliseconds. Absent: at once. */
  readonly notBefore?: number;
  /** When crashes in a row made it poisoned, epoch milliseconds: only surgical workers get it. */
  readonly poisonedAt?: number;
  readonly cancelRequested?: true;
  /** The attempt completes through the API, until then; epoch milliseconds. */
  readonly acceptedUntil?: number;
  /** The last progress that a heartbeat told. */
  readonly progress?: Json;
  readonly lastFailure?: Failure;
}

export type TaskAnswer =
  | { readonly token: string; readonly kind: 'completed'; readonly value?: Json }
  /** `retryAfterMs` overrides the policy's delay. */
  | { readonly token: string; readonly kind: 'failed'; readonly error: Failure; readonly retryAfterMs?: number }
  /** The activity stopped because it was asked to. */
  | { readonly token: string; readonly kind: 'cancelled'; readonly error?: Failure }
  /** Completes later through the API, with the same token. */
  | { readonly token: string; readonly kind: 'accepted' };

/** `superseded`: the attempt no longer counts (it timed out, was handed out anew, or its run closed). */
export type AnswerReceipt = { readonly token: string; readonly status: 'recorded' | 'superseded' };

/** A pulling worker is a session. Each poll lists what the worker holds. */
export interface PollRequest {
  readonly worker: string;
  /** Rises with each start of the worker's process. */
  readonly session: string;
  readonly queues: readonly string[];
  /** Names of the activities it has; absent: any. */
  readonly activities?: readonly string[];
  /** How many more attempts it can take now. */
  readonly slots: number;
  /** Tokens of all attempts it holds. */
  readonly holding: readonly string[];
  /** The longest the poll may be held open, milliseconds. */
  readonly waitMs: number;
  /** Takes poisoned tasks, and those alone, one at a time (design §10). */
  readonly surgical?: boolean;
  /** Between services: end the poll, without a task, as soon as there is work for it. */
  readonly peek?: boolean;
}

export interface PollResponse {
  readonly tasks: readonly TaskEnvelope[];
  /** Tokens the worker holds that should stop: cancelled or superseded. */
  readonly cancel: readonly { readonly token: string; readonly reason: 'cancelled' | 'superseded' }[];
}

export interface HeartbeatRequest {
  readonly token: string;
  readonly progress?: Json;
}
export interface HeartbeatResponse {
  readonly status: 'ok' | 'cancelled' | 'superseded';
}
