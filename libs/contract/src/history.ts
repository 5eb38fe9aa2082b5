import type { Cancel, CancelActivity, CancelChild, CancelRun, CancelTimer, CancelWait, CarriedSignal, Compensate, Complete, CompleteUpdate, ContinueAsNew, Fail, OpenWait, RegisterUndo, ScheduleActivity, SendSignal, StartChild, StartTimer, UpsertAttributes } from './command.js';
import type { ExternalEvent } from './event.js';
import type { Json } from './json.js';
import type { Attributes, ParentClosePolicy } from './options.js';
import type { Failure, Outcome } from './outcome.js';
import type { Pin, RunKey } from './run.js';

/**
 * A run's history: what happened to it, numbered 1, 2, 3… There are three sorts of event.
 *
 * - **job** events are handed to the realm, one activation each, in history order; the JSON of the event *is* the job.
 * - **command** events record what the code asked for in the activation of the job before them; a replay compares them.
 * - **mark** events concern the host alone.
 */
export type EventBody = JobEvent | CommandEvent | MarkEvent;
export type EventKind = EventBody['kind'];

/** An event as it is stored and shown. `bundle` and `at` are stored once per transition. */
export type HistoryEvent = EventBody & { readonly n: number; readonly at: number; readonly bundle: string };

/** All events that one input produced, first to last: the unit that is stored. */
export interface Transition {
  /** Number of the first event. */
  readonly first: number;
  /** The time of all of them, epoch milliseconds: the greatest of the input's stamp, the run's last event and a fired timer's due time (I5). */
  readonly at: number;
  readonly bundle: string;
  /** The input that produced them. */
  readonly inputId: string;
  readonly events: readonly EventBody[];
}

// ── jobs ────────────────────────────────────────────────────────────────────────────────────────────────────────────

export type JobEvent =
  | Started
  | ActivityClosed
  | TimerFired
  | EventReceived
  | WaitTimedOut
  | WaitRefused
  | ChildStarted
  | ChildClosed
  | SignalReceived
  | SignalSettled
  | UpdateAccepted
  | CancelRequested
  | Compensated;

export interface Parent extends RunKey {
  /** The parent's command that asked for this run. */
  readonly seq: number;
  readonly closePolicy: ParentClosePolicy;
}

export interface Started {
  readonly kind: 'started';
  readonly run: RunKey;
  readonly workflowType: string;
  readonly pin: Pin;
  readonly input?: Json;
  readonly attributes?: Attributes;
  readonly parent?: Parent;
  /** The run this one continues. */
  readonly continuedFrom?: string;
  /** The first run of the chain of runs that this one continues (itself when it continues none): events are consumed once per chain. */
  readonly chain: string;
  readonly carried?: readonly CarriedSignal[];
  /** The whole run's longest duration. Absent: no bound. */
  readonly runTimeoutMs?: number;
  /** W3C traceparent of the run's root span. */
  readonly trace?: string;
}
export interface ActivityClosed {
  readonly kind: 'activityClosed';
  readonly seq: number;
  readonly outcome: Outcome;
  /** How many attempts it took. */
  readonly attempts: number;
}
export interface TimerFired {
  readonly kind: 'timerFired';
  readonly seq: number;
}
export interface EventReceived {
  readonly kind: 'eventReceived';
  readonly seq: number;
  readonly event: ExternalEvent;
}
export interface WaitTimedOut {
  readonly kind: 'waitTimedOut';
  readonly seq: number;
}
/** The wait cannot be: its filter is no expression. */
export interface WaitRefused {
  readonly kind: 'waitRefused';
  readonly seq: number;
  readonly error: Failure;
}
export interface ChildStarted {
  readonly kind: 'childStarted';
  readonly seq: number;
  readonly runId: string;
}
export interface ChildClosed {
  readonly kind: 'childClosed';
  readonly seq: number;
  readonly outcome: Outcome;
}
export interface SignalReceived {
  readonly kind: 'signalReceived';
  /** The input's id. */
  readonly id: string;
  readonly name: string;
  readonly input?: Json;
}
/** The receiving run has, or cannot have, the signal or cancel request `seq`. */
export interface SignalSettled {
  readonly kind: 'signalSettled';
  readonly seq: number;
  readonly outcome: Outcome;
}
export interface UpdateAccepted {
  readonly kind: 'updateAccepted';
  readonly id: string;
  readonly name: string;
  readonly input?: Json;
}
export interface CancelRequested {
  readonly kind: 'cancelRequested';
  readonly reason?: string;
}
export interface Compensated {
  readonly kind: 'compensated';
  readonly seq: number;
  readonly outcome: Outcome;
}

// ── commands, recorded ──────────────────────────────────────────────────────────────────────────────────────────────

/** A command event is its command under a past-tense name. */
type Recorded<C, K extends string> = Omit<C, 'kind'> & { readonly kind: K };
export type ActivityScheduled = Recorded<ScheduleActivity, 'activityScheduled'>;
export type ActivityCancelRequested = Recorded<CancelActivity, 'activityCancelRequested'>;
export type TimerStarted = Recorded<StartTimer, 'timerStarted'>;
export type TimerCancelled = Recorded<CancelTimer, 'timerCancelled'>;
export type WaitOpened = Recorded<OpenWait, 'waitOpened'>;
export type WaitCancelled = Recorded<CancelWait, 'waitCancelled'>;
export type ChildRequested = Recorded<StartChild, 'childRequested'>;
export type ChildCancelRequested = Recorded<CancelChild, 'childCancelRequested'>;
export type SignalSent = Recorded<SendSignal, 'signalSent'>;
export type RunCancelSent = Recorded<CancelRun, 'runCancelSent'>;
export type UndoRegistered = Recorded<RegisterUndo, 'undoRegistered'>;
export type CompensationRequested = Recorded<Compensate, 'compensationRequested'>;
export type AttributesUpserted = Recorded<UpsertAttributes, 'attributesUpserted'>;
export type UpdateCompleted = Recorded<CompleteUpdate, 'updateCompleted'>;
export type Completed = Recorded<Complete, 'completed'>;
export type Failed = Recorded<Fail, 'failed'>;
export type CancelledEvent = Recorded<Cancel, 'cancelled'>;
export type ContinuedAsNew = Recorded<ContinueAsNew, 'continuedAsNew'> & { readonly nextRunId: string };

export type CommandEvent =
  | ActivityScheduled
  | ActivityCancelRequested
  | TimerStarted
  | TimerCancelled
  | WaitOpened
  | WaitCancelled
  | ChildRequested
  | ChildCancelRequested
  | SignalSent
  | RunCancelSent
  | UndoRegistered
  | CompensationRequested
  | AttributesUpserted
  | UpdateCompleted
  | Completed
  | Failed
  | CancelledEvent
  | ContinuedAsNew;

// ── marks ───────────────────────────────────────────────────────────────────────────────────────────────────────────

export type VoidReason = 'time' | 'memory' | 'stack' | 'trap' | 'output';

export type SuspendReason =
  | { readonly kind: 'operator'; readonly message?: string }
  /** The activation of job event `n` hit a limit; nothing of it counts. */
  | { readonly kind: 'voided'; readonly n: number; readonly limit: VoidReason; readonly message: string }
  /** The code no longer asks for what history says it asked for. */
  | { readonly kind: 'nondeterminism'; readonly n: number; readonly diff: string }
  /** An input could not be processed at all. */
  | { readonly kind: 'refused'; readonly inputId: string; readonly message: string }
  | { readonly kind: 'poisoned'; readonly seq: number; readonly message: string };

export type MarkEvent =
  /** The activation of job event number `job` hit a limit: nothing of it counts. */
  | { readonly kind: 'voided'; readonly job: number; readonly limit: VoidReason; readonly message: string }
  | { readonly kind: 'suspended'; readonly reason: SuspendReason }
  | { readonly kind: 'resumed'; readonly reason?: string }
  | { readonly kind: 'repinned'; readonly pin: Pin }
  | { readonly kind: 'terminated'; readonly reason?: string; readonly compensate: boolean }
  /** The host ends the run as failed: a limit was passed, the run timed out, an operator said so. */
  | { readonly kind: 'runFailed'; readonly error: Failure }
  /** The undo list of a terminated run has been carried out. */
  | { readonly kind: 'rolledBack'; readonly outcome: Outcome };
