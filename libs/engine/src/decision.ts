import type { ActivationOutput, Effect, EventBody, Input, InputOf, InputOutcome, JobEvent, LIMITS, Pin, ProblemData, RunResult, SuspendReason, Transition, VoidReason } from '@perdure/contract';
import type { Guards } from '@perdure/guards';
import type { RunState } from './state.js';

/** What the engine needs from outside, all of it pure: same arguments, same answer (I5). */
export interface EngineHost {
  /** The run id of a start: `deriveRunId` of `@perdure/identity`. */
  deriveRunId(start: { readonly tenant: string; readonly workflowId: string; readonly startId: string }): string;
  /** A collision-free digest of a text: `sha256Hex` of `@perdure/identity`. */
  digest(text: string): string;
  /** Default: `LIMITS`. */
  readonly limits?: EngineLimits;
  /** Default: all. */
  readonly guards?: Guards;
}
export type EngineLimits = { readonly [K in 'historyEventsMax' | 'pendingPerRunMax' | 'commandsPerActivationMax' | 'undoStepsMax' | 'attributesBytesMax']: (typeof LIMITS)[K] | number };

export interface AcceptContext {
  /** For a start: the pin that the new run would get. Others ignore it. */
  readonly pin?: Pin;
  /** What is kept under the input's id, if it was seen before. */
  readonly seen?: InputOutcome;
}

/** One activation that the realm is to run: `realm.activate({ ...job, at })`. */
export interface Activation {
  /** The job event's number. */
  readonly n: number;
  /** The time that the code sees: of the transition in which it runs, which for a deferred job is that of `resumed`. */
  readonly at: number;
  /** Absent in a resume: the job is event `n` of the stored history. */
  readonly job?: JobEvent;
  /** The realm may refuse it and is needed afterwards: run it so that its pages can be put back (`realm.activateUnless`). A start's realm is simply thrown away. */
  readonly refusable: boolean;
}

/** What follows from an input. Plain data; made without touching the state. */
export type Decision = Drop | Refuse | Redirect | RecordOnly | Activate;

/** Late or repeated: nothing is recorded. The effects leave all the same (an offer is given back). */
export interface Drop {
  readonly kind: 'drop';
  readonly why: string;
  /** The answer for who sent it, if anyone waits for one. */
  readonly outcome?: InputOutcome;
  readonly effects: readonly Effect[];
}
/** A client's (or another run's) input that cannot be: nothing is recorded but this outcome under the input's id. */
export interface Refuse {
  readonly kind: 'refuse';
  readonly problem: ProblemData;
  readonly effects: readonly Effect[];
}
/** The run named has continued as new: load this one and `accept` again. */
export interface Redirect {
  readonly kind: 'redirect';
  readonly runId: string;
}
interface Planned {
  readonly input: Input;
  /** The transition's time (I5). */
  readonly at: number;
  /** Events that come before any command: the job, or marks. */
  readonly lead: readonly EventBody[];
  /** Effects of the input itself (an offer taken, a timer disarmed, a sender told). */
  readonly effects: readonly Effect[];
  readonly outcome?: InputOutcome;
}
/** Events without activation (terminate, suspend, a job of a suspended run): call `settle(state, decision)`. */
export interface RecordOnly extends Planned {
  readonly kind: 'record';
}
/** Run the realm on each of `jobs` in order, then call `settle(state, decision, { kind: 'ran', results })`. */
export interface Activate extends Planned {
  readonly kind: 'activate';
  /** One, but for a resume: its deferred jobs (none if there are none to run and only the new pin is to be proved). */
  readonly jobs: readonly Activation[];
  /** The realm may refuse the input (its only job): that leaves no trace but the outcome. */
  readonly refusable: boolean;
  /** A resume on another bundle: replay the whole history on it first, and give its pin to `settle`. */
  readonly repinTo?: string;
}

/** What the realm did with an activation; the sandbox's own answer fits. */
export type ActivationResult =
  | { readonly kind: 'ok'; readonly output: ActivationOutput }
  | { readonly kind: 'voided'; readonly reason: VoidReason; readonly message: string };

export type Settlement =
  /**
   * `results[i]` is of `jobs[i]`. Stop at the first `voided`, or after commands that close the run: the rest may be left out.
   * `pin`: with `repinTo`. `jobs`: of a resume, all the jobs that came by number, as loaded.
   */
  | { readonly kind: 'ran'; readonly results: readonly ActivationResult[]; readonly pin?: Pin; readonly jobs?: readonly JobEvent[] }
  /** The realm cannot be had (the replay differs) or the input is at fault: the run is suspended, the job recorded and deferred. A resume is refused instead. */
  | { readonly kind: 'setAside'; readonly reason: SuspendReason };

export interface Settled {
  /** The run as it is now: the same object that was given, changed in place; a new one for a start. Absent when a start was refused. */
  readonly state?: RunState;
  /** Absent when nothing is recorded (the realm refused). */
  readonly transition?: Transition;
  readonly effects: readonly Effect[];
  /** To keep under these input ids, over what is kept there: of this input, and of updates that have now finished. */
  readonly outcomes: readonly { readonly inputId: string; readonly outcome: InputOutcome }[];
  /** The run has continued as new: accept and settle this start in the same transaction. Give it as `state` the run that has just closed. */
  readonly continuation?: InputOf<'start'>;
  /** Set by the transition that closed the run. */
  readonly closed?: RunResult;
}
