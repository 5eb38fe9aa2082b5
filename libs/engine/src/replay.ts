import type { ActivationOutput, Command, EventBody, JobEvent, Transition } from '@perdure/contract';
import type { Activation } from './decision.js';

/** Where code and history part. `n`: number of the first recorded event that the code did not ask for in this way. */
export interface Difference {
  readonly n: number;
  /** Several lines, for people. */
  readonly diff: string;
}

/** Activations whose commands stand together in history: one job, or the deferred jobs that a `resumed` activated. */
export interface ReplayStep {
  readonly jobs: readonly (Activation & { readonly job: JobEvent })[];
  /** The command events recorded for them; the first has number `first`. */
  readonly recorded: readonly EventBody[];
  readonly first: number;
  /** The host ended the run in this transition, so the code may have asked for more than was recorded. */
  readonly cut: boolean;
}

/**
 * The activations that a run's history holds, as they happened: deferred jobs run where `resumed` let them, voided ones do not run.
 *
 *     for (const step of replayPlan(transitions)) {
 *       const outputs = step.jobs.map((job) => run(job));       // those with `refusable` by `activateUnless`
 *       const difference = checkStep(step, outputs);
 *       if (difference) …
 *     }
 *
 * `after`: only what comes after event `after` (the realm was restored from a snapshot of that moment); all transitions must be given all the same,
 * or those from the first one that holds a job still deferred at that moment.
 */
export function replayPlan(transitions: Iterable<Transition>, after = 0): Iterable<ReplayStep> {
  void [transitions, after];
  throw new Error('to come');
}

/** Compares kind, name and arguments of what the code asked for with what is recorded. */
export function checkStep(step: ReplayStep, outputs: readonly ActivationOutput[]): Difference | undefined {
  void [step, outputs];
  throw new Error('to come');
}

/** The same over bare commands: `recorded[0]` has number `first`. */
export function compareReplay(recorded: readonly EventBody[], commands: readonly Command[], first = 1): Difference | undefined {
  void [recorded, commands, first];
  throw new Error('to come');
}

/** The jobs that are recorded and wait for `resumed`, from the history: for the `jobs` of a resume that come without theirs. */
export function jobsAt(transitions: Iterable<Transition>, numbers: readonly number[]): JobEvent[] {
  void [transitions, numbers];
  throw new Error('to come');
}
