import type { ExternalEvent } from './event.js';
import type { CarriedSignal } from './command.js';
import type { Json } from './json.js';
import type { Attributes } from './options.js';
import type { Failure, Outcome } from './outcome.js';
import type { Parent } from './history.js';

/**
 * A fact appended to the log, addressed to a workflow id (its newest run, unless `runId` is given).
 * `id` is unique per workflow id: a second input with the same id changes nothing and gets the first one's answer.
 */
export type Input = InputHeader & InputBody;
export type InputKind = InputBody['kind'];
export type InputOf<K extends InputKind> = InputHeader & Extract<InputBody, { kind: K }>;

export interface InputHeader {
  readonly id: string;
  readonly tenant: string;
  readonly workflowId: string;
  readonly runId?: string;
  /** When the input was accepted, epoch milliseconds. */
  readonly at: number;
  /** W3C traceparent of the request that brought it. */
  readonly trace?: string;
}

export type InputBody =
  // from clients
  | StartInput
  | { readonly kind: 'signal'; readonly name: string; readonly input?: Json; readonly from?: SignalSender }
  | { readonly kind: 'update'; readonly name: string; readonly input?: Json }
  | { readonly kind: 'cancel'; readonly reason?: string; readonly from?: SignalSender }
  | { readonly kind: 'terminate'; readonly reason?: string; readonly compensate: boolean }
  /** `poisoned`: the scheduler asks, since a task of the run has crashed its workers for a day (design §10); never from a client. */
  | { readonly kind: 'suspend'; readonly reason?: string; readonly poisoned?: { readonly seq: number; readonly message: string } }
  /** `bundle`: go on with that bundle, if the whole history replays on it. `fail`: end the run as failed instead. */
  | { readonly kind: 'resume'; readonly reason?: string; readonly bundle?: string; readonly fail?: boolean }
  // from the services
  | { readonly kind: 'activityClosed'; readonly seq: number; readonly outcome: Outcome; readonly attempts: number }
  | { readonly kind: 'timerFired'; readonly seq: number; readonly dueMs: number }
  /** Correlation offers an event to wait `seq`; the run takes or returns it. */
  | { readonly kind: 'eventOffered'; readonly seq: number; readonly offerId: string; readonly event: ExternalEvent }
  /** Correlation cannot keep wait `seq`: its filter is no expression. */
  | { readonly kind: 'waitRefused'; readonly seq: number; readonly error: Failure }
  | { readonly kind: 'compensated'; readonly seq: number; readonly outcome: Outcome }
  // from other runs
  | { readonly kind: 'childStarted'; readonly seq: number; readonly childRunId: string }
  | { readonly kind: 'childClosed'; readonly seq: number; readonly outcome: Outcome }
  | { readonly kind: 'signalSettled'; readonly seq: number; readonly outcome: Outcome };

export interface StartInput {
  readonly kind: 'start';
  readonly workflowType: string;
  /** Derived from (tenant, workflowId, start id) by who makes the input, so that a re-send names the same run. */
  readonly newRunId: string;
  /** The bundle's hash. Absent: the tenant's default bundle that has the workflow type. */
  readonly bundle?: string;
  readonly input?: Json;
  readonly attributes?: Attributes;
  readonly runTimeoutMs?: number;
  readonly parent?: Parent;
  readonly continuedFrom?: string;
  readonly chain?: string;
  readonly carried?: readonly CarriedSignal[];
}

/** Who waits for word that a signal or cancel request arrived. */
export interface SignalSender {
  readonly tenant: string;
  readonly workflowId: string;
  readonly runId: string;
  readonly seq: number;
}

/** An input is named by these three. */
export interface InputRef {
  readonly tenant: string;
  readonly workflowId: string;
  readonly inputId: string;
}

export const inputRefOf = ({ tenant, workflowId, id: inputId }: Pick<InputHeader, 'tenant' | 'workflowId' | 'id'>): InputRef => ({ tenant, workflowId, inputId });

/** One string for an input, safe as a map key as `runKeyOf` is. */
export const inputKeyOf = ({ tenant, workflowId, inputId }: InputRef): string => `${tenant}\u0000${workflowId}\u0000${inputId}`;

/** What became of an input, kept under its id as long as the id is remembered. */
export type InputOutcome =
  | { readonly kind: 'started'; readonly runId: string; readonly created: boolean }
  | { readonly kind: 'accepted'; readonly runId: string }
  /** An update's handler has finished. While it runs the outcome is `accepted`. */
  | { readonly kind: 'updated'; readonly runId: string; readonly outcome: Outcome }
  | { readonly kind: 'refused'; readonly problem: ProblemData };

/** The part of a problem (RFC 9457) that is decided inside; the HTTP edge adds type, title and status by `code`. */
export interface ProblemData {
  readonly code: string;
  readonly detail: string;
  readonly errors?: Json;
}
