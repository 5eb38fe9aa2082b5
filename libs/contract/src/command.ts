import type { WaitSpec } from './event.js';
import type { Json } from './json.js';
import type { ActivityOptions, Attributes, ParentClosePolicy, UndoStep } from './options.js';
import type { Failure, Outcome } from './outcome.js';

/**
 * What workflow code asks for, in the order in which it asked.
 * `seq` counts up from 1 per run over all commands that have one; it names the thing asked for ever after.
 */
export type Command =
  | ScheduleActivity
  | CancelActivity
  | StartTimer
  | CancelTimer
  | OpenWait
  | CancelWait
  | StartChild
  | CancelChild
  | SendSignal
  | CancelRun
  | RegisterUndo
  | Compensate
  | UpsertAttributes
  | CompleteUpdate
  | Complete
  | Fail
  | Cancel
  | ContinueAsNew;

export type CommandKind = Command['kind'];

export interface ScheduleActivity {
  readonly kind: 'scheduleActivity';
  readonly seq: number;
  readonly name: string;
  readonly input?: Json;
  readonly options: ActivityOptions;
}
/** Asks activity `seq` to stop; it still closes by how it really ended. */
export interface CancelActivity {
  readonly kind: 'cancelActivity';
  readonly seq: number;
}
export interface StartTimer {
  readonly kind: 'startTimer';
  readonly seq: number;
  readonly durationMs: number;
}
export interface CancelTimer {
  readonly kind: 'cancelTimer';
  readonly seq: number;
}
/** Settled by `eventReceived`, `waitTimedOut` or `waitRefused`, whichever the log has first. */
export interface OpenWait {
  readonly kind: 'openWait';
  readonly seq: number;
  readonly wait: WaitSpec;
  readonly timeoutMs?: number;
}
export interface CancelWait {
  readonly kind: 'cancelWait';
  readonly seq: number;
}
/** Settled twice: `childStarted` (or a `childClosed` that failed to start), then `childClosed`. */
export interface StartChild {
  readonly kind: 'startChild';
  readonly seq: number;
  readonly workflowType: string;
  readonly workflowId: string;
  readonly input?: Json;
  readonly attributes?: Attributes;
  readonly parentClosePolicy: ParentClosePolicy;
}
export interface CancelChild {
  readonly kind: 'cancelChild';
  readonly seq: number;
}
/** A signal to another run of the tenant; settled by `signalSettled`. */
export interface SendSignal {
  readonly kind: 'sendSignal';
  readonly seq: number;
  readonly workflowId: string;
  readonly runId?: string;
  readonly name: string;
  readonly input?: Json;
}
/** A cancel request to another run of the tenant; settled by `signalSettled`. */
export interface CancelRun {
  readonly kind: 'cancelRun';
  readonly seq: number;
  readonly workflowId: string;
  readonly runId?: string;
}
/** Always comes before the `scheduleActivity` it takes back. */
export interface RegisterUndo {
  readonly kind: 'registerUndo';
  readonly undo: UndoStep;
}
/** Runs the saga's undo steps, last registered first; settled by `compensated`. */
export interface Compensate {
  readonly kind: 'compensate';
  readonly seq: number;
  readonly saga: number;
}
/** Merged into what the run shows; a key set to null is removed. */
export interface UpsertAttributes {
  readonly kind: 'upsertAttributes';
  readonly attributes: Attributes;
}
export interface CompleteUpdate {
  readonly kind: 'completeUpdate';
  readonly updateId: string;
  readonly outcome: Outcome;
}
export interface Complete {
  readonly kind: 'complete';
  readonly result?: Json;
}
export interface Fail {
  readonly kind: 'fail';
  readonly error: Failure;
}
/** The code let `Cancelled` through: the run ends as cancelled. */
export interface Cancel {
  readonly kind: 'cancel';
  readonly error: Failure;
}
export interface ContinueAsNew {
  readonly kind: 'continueAsNew';
  readonly workflowType: string;
  readonly input?: Json;
  readonly attributes?: Attributes;
  /** Signals that arrived and were not taken by the code: they move along, in order. */
  readonly carried: readonly CarriedSignal[];
}
export interface CarriedSignal {
  readonly id: string;
  readonly name: string;
  readonly input?: Json;
}
