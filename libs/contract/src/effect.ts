import type { ExternalEvent, WaitSpec } from './event.js';
import type { Input } from './input.js';
import type { Json } from './json.js';
import type { ActivityOptions, UndoInput, UndoStep } from './options.js';
import type { RunKey } from './run.js';

/** What a committed transition makes the outside do. Each is keyed by what it names, so that a repetition can be told. */
export type Effect = SchedulerEffect | CorrelationEffect | CompensationEffect | { readonly to: 'history'; readonly input: Input };

export type SchedulerEffect =
  | ({ readonly to: 'scheduler'; readonly kind: 'scheduleTask' } & TaskSpec)
  | { readonly to: 'scheduler'; readonly kind: 'cancelTask'; readonly run: RunKey; readonly seq: number }
  | { readonly to: 'scheduler'; readonly kind: 'armTimer'; readonly run: RunKey; readonly seq: number; readonly dueMs: number }
  | { readonly to: 'scheduler'; readonly kind: 'disarmTimer'; readonly run: RunKey; readonly seq: number }
  /** The run has closed: its timers and its activities' tasks are dropped, running attempts are told to stop. Undo tasks stay. */
  | { readonly to: 'scheduler'; readonly kind: 'dropRun'; readonly run: RunKey };

/** A piece of work for a worker. */
export interface TaskSpec {
  readonly run: RunKey;
  /** The activity's `seq`, or the undo's `undoSeq`. */
  readonly seq: number;
  /** `activity` closes to history, `undo` to compensation. */
  readonly role: 'activity' | 'undo';
  readonly name: string;
  readonly input?: Json;
  readonly options: ActivityOptions;
  readonly bundle: string;
  readonly workflowType: string;
  /** When it was scheduled, epoch milliseconds. */
  readonly at: number;
  /** W3C traceparent. */
  readonly trace?: string;
}

/** Design I8: all attempts of one activity share it. */
export const idempotencyKeyOf = (task: { readonly run: RunKey; readonly seq: number; readonly role: 'activity' | 'undo' }): string =>
  `${task.run.tenant}/${task.run.workflowId}/${task.run.runId}/${task.role === 'undo' ? 'undo/' : ''}${task.seq}`;

export type CorrelationEffect =
  | { readonly to: 'correlation'; readonly kind: 'openWait'; readonly run: RunKey; readonly seq: number; readonly chain: string; readonly wait: WaitSpec; readonly at: number }
  | { readonly to: 'correlation'; readonly kind: 'closeWait'; readonly run: RunKey; readonly seq: number; readonly wait: WaitSpec }
  /** The run took the offered event, or gives it back for the next wait. */
  | { readonly to: 'correlation'; readonly kind: 'settleOffer'; readonly run: RunKey; readonly seq: number; readonly offerId: string; readonly taken: boolean; readonly event: ExternalEvent };

/** Undo steps to carry out, last registered first. */
export interface RollbackStep extends UndoStep {
  readonly undo: UndoInput;
}
export type CompensationEffect = {
  readonly to: 'compensation';
  readonly kind: 'rollback';
  readonly run: RunKey;
  /** The `compensate` command to answer; 0 when the host asks (terminate, conflict). */
  readonly seq: number;
  readonly steps: readonly RollbackStep[];
  readonly cause: 'code' | 'terminate' | 'conflict';
  readonly bundle: string;
  readonly workflowType: string;
  readonly at: number;
  readonly trace?: string;
};
