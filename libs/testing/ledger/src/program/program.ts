/**
 * A workflow as data. One bundle interprets it on the server, an in-memory model says what it must come to.
 *
 * 1. Everything that has an effect has a number `n`, unique within its program: `effectIdOf` names the effect in the ledger.
 * 2. Every timer and every wait of a program has a duration of its own, so that history tells them apart.
 * 3. A program always ends, whatever fails around it, once its client has sent what it should.
 */
export interface Program {
  /** Also its workflow id. */
  readonly name: string;
  readonly steps: readonly Step[];
  /** What the client sends, beside the start: lanes run at once, the sendings of one lane one after the other. */
  readonly lanes: readonly (readonly Sending[])[];
  /** What its code does when it is asked to stop. */
  readonly onCancel: CancelPolicy;
}

export type CancelPolicy = 'end-cancelled' | 'return';

export type Step = ActivityStep | SleepStep | SignalStep | EventStep | ChildStep | SagaStep | UpdatesStep | TogetherStep | ContinueStep | FailStep | ForeverStep;
export type StepOf<K extends Step['do']> = Extract<Step, { do: K }>;

export interface ActivityStep {
  readonly do: 'activity';
  readonly n: number;
  readonly behaviour: Behaviour;
}
export interface SleepStep {
  readonly do: 'sleep';
  readonly ms: number;
}
/** Takes the next signal of a name that only this step takes. */
export interface SignalStep {
  readonly do: 'signal';
  readonly signal: string;
  readonly timeoutMs?: number;
}
export interface EventStep {
  readonly do: 'event';
  readonly n: number;
  readonly timeoutMs?: number;
  /** Waits once more, without a timeout, when the first wait has timed out: an event that came too late for that one is not lost. */
  readonly insists?: boolean;
}
export interface ChildStep {
  readonly do: 'child';
  readonly n: number;
  readonly steps: readonly Step[];
  /** The parent signals it; then its first step takes that signal. */
  readonly poke?: string;
}
/** Runs its parts in order until one fails; then, or if so told, undoes what was done. */
export interface SagaStep {
  readonly do: 'saga';
  readonly parts: readonly ActivityStep[];
  readonly undoAnyway: boolean;
}
/** Waits until so many updates have been handled since the run began. */
export interface UpdatesStep {
  readonly do: 'updates';
  readonly count: number;
}
/** `race` ends with its first branch; `losers` are then awaited or left to themselves. */
export interface TogetherStep {
  readonly do: 'together';
  readonly mode: 'all' | 'race';
  readonly losers: 'awaited' | 'left';
  readonly branches: readonly Step[];
}
export interface ContinueStep {
  readonly do: 'continue';
}
export interface FailStep {
  readonly do: 'fail';
}
/** Ends only because the run is asked to stop, or is ended. */
export interface ForeverStep {
  readonly do: 'forever';
}

/**
 * How an activity behaves, attempt by attempt. `applied`: the effect happens before the attempt fails.
 *
 * - `flaky` fails some attempts, then succeeds; `crash` kills its worker's process instead; `exhausted` fails all it has
 * - `terminal` fails at once and for good
 * - `slow` overruns its start-to-close timeout some times and goes on nevertheless, to answer when nobody wants it any more
 * - `overdue` has one attempt, which overruns
 * - `silent` reports progress, then is not heard of; the next attempt goes on from there
 * - `later` ends at once, and its worker completes it through the API some time after; a worker that dies meanwhile never does
 */
export type Behaviour =
  | { readonly kind: 'ok' }
  | { readonly kind: 'flaky'; readonly times: number; readonly applied: boolean }
  | { readonly kind: 'exhausted'; readonly attempts: number }
  | { readonly kind: 'terminal'; readonly applied: boolean }
  | { readonly kind: 'slow'; readonly times: number }
  | { readonly kind: 'overdue' }
  | { readonly kind: 'crash'; readonly times: number; readonly applied: boolean }
  | { readonly kind: 'silent' }
  | { readonly kind: 'later'; readonly afterMs: number };

export type Sending =
  | { readonly send: 'signal'; readonly signal: string; readonly id: string; readonly value: string; readonly afterMs: number }
  /** `early`: published at once, maybe before its run exists. */
  | { readonly send: 'event'; readonly key: string; readonly id: string; readonly value: string; readonly afterMs: number; readonly early: boolean }
  | { readonly send: 'update'; readonly id: string; readonly n: number; readonly value: number; readonly works: boolean; readonly afterMs: number }
  | { readonly send: 'cancel' | 'suspend' | 'resume'; readonly id: string; readonly afterMs: number }
  | { readonly send: 'terminate'; readonly id: string; readonly compensate: boolean; readonly afterMs: number }
  | { readonly send: 'query'; readonly afterMs: number };

/** Longer than any test: whoever waits so long was not woken. */
export const FOREVER_MS = 3_600_000;
/** Start-to-close timeout of `slow` and `overdue`, and how far they overrun it. */
export const SLOW_TIMEOUT_MS = 400;
export const OVERRUN_MS = 300;
/** Start-to-close timeout of `later`. */
export const LATER_TIMEOUT_MS = 2_500;
export const HEARTBEAT_TIMEOUT_MS = 1_500;
/** Progress that `silent` makes in all, and where it falls silent. */
export const PROGRESS_END = 4;
export const PROGRESS_SILENT_AT = 2;

export const EVENT_TYPE = 'ledger.happened';
export const EVENT_SOURCE = '/ledger';
/** Names of signals; a program takes each at most once. */
export const SIGNALS_MAX = 24;
export const signalNameOf = (index: number): string => `signal-${index}`;

export const effectIdOf = (name: string, n: number): string => `${name}#${n}`;
export const undoIdOf = (name: string, n: number): string => `${name}#${n}/undo`;
export const childNameOf = (name: string, n: number): string => `${name}.${n}`;
export const eventKeyOf = effectIdOf;
export const eventValueOf = (key: string): string => `event ${key}`;

/** What an activity with this effect returns. */
export const valueOf = (effectId: string): string => `done ${effectId}`;
export const updateAnswerOf = (value: number): number => value * 2 + 1;

/** What is passed to the interpreting workflow. */
export interface InterpreterInput {
  readonly name: string;
  readonly steps: readonly Step[];
  readonly onCancel: CancelPolicy;
  /** Where a continued run goes on. */
  readonly from?: number;
  readonly log?: readonly LogEntry[];
  readonly updates?: readonly (readonly [n: number, value: number])[];
}

/** What a step came to. */
export type LogEntry = string | { readonly [key: string]: LogEntry | number } | readonly LogEntry[] | readonly (readonly [number, number])[];

/** The input of an activity. */
export interface Work {
  readonly effectId: string;
  readonly behaviour: Behaviour;
}
/** Its result; `execution` names the one run of the activity's code that gave it. */
export interface Done {
  readonly value: string;
  readonly execution: string;
}

/** A program and the children that it starts, and theirs. */
export const familyOf = (program: Pick<Program, 'name' | 'steps' | 'onCancel'>): readonly Pick<Program, 'name' | 'steps' | 'onCancel'>[] => [
  program,
  ...childrenIn(program.steps).flatMap((child) => familyOf({ name: childNameOf(program.name, child.n), steps: child.steps, onCancel: 'end-cancelled' })),
];

const childrenIn = (steps: readonly Step[]): readonly ChildStep[] => steps.flatMap((step) => (step.do === 'child' ? [step] : step.do === 'together' ? childrenIn(step.branches) : []));
