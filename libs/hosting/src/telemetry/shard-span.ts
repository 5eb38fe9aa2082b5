import type { InputKind, RunKey, RunStatus } from '@perdure/contract';
import type { AttemptEnding } from '@perdure/scheduler';

/** What a traced run did in a shard, reported for whoever makes spans of it. Times are epoch milliseconds, with fractions. */
export type ShardSpan = InputSpan | AttemptSpan | JoinedTrace;

/** An input of the run, from its acceptance to its commit (`SpanReport`). */
export interface InputSpan {
  readonly kind: 'input';
  readonly spanId: string;
  /** Traceparent of the run's root span. */
  readonly trace: string;
  /** Traceparent that the input brought. */
  readonly sender?: string;
  /** It came from a client, not from a service or another run. */
  readonly isRequest: boolean;
  readonly input: InputKind;
  readonly inputId: string;
  readonly run: RunKey;
  readonly workflowType: string;
  /** Set when the input closed the run. */
  readonly closed?: RunStatus;
  readonly startMs: number;
  readonly processMs: number;
  readonly processedMs: number;
}

/** One attempt of an activity, from its hand-out to its end. */
export interface AttemptSpan {
  readonly kind: 'attempt';
  readonly spanId: string;
  /** Traceparent of the input that asked for the activity. */
  readonly parent: string;
  readonly run: RunKey;
  readonly workflowType: string;
  readonly seq: number;
  readonly role: 'activity' | 'undo';
  readonly name: string;
  readonly queue: string;
  readonly idempotencyKey: string;
  readonly attempt: number;
  readonly how: AttemptEnding;
  readonly error?: { readonly type: string; readonly message: string };
  /** The hand-out was before a restart, so `startMs` is when the task was ready. */
  readonly isAdopted: boolean;
  readonly startMs: number;
  readonly endMs: number;
}

/** A sender's input met a run of another trace; nothing else is to be told of it. */
export interface JoinedTrace {
  readonly kind: 'joined';
  readonly trace: string;
  readonly sender: string;
}

/** All of one commit. */
export interface SpanReport {
  readonly spans: readonly ShardSpan[];
  readonly commitMs: number;
  readonly committedMs: number;
}
