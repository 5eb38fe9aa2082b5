import type { ActivationOutput, Command, EventBody, JobEvent, Transition } from '@perdure/contract';
import type { Activation } from './decision.js';
import { sameJson } from './json.js';
import { asAsked, isCommandEvent, toEvent, untilClosing } from './recorded.js';

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
export function* replayPlan(transitions: Iterable<Transition>, after = 0): Iterable<ReplayStep> {
  const replay = { suspended: false, deferred: [] as PlannedJob[] };
  for (const transition of transitions) {
    const step = planStep(transition, replay);
    const last = transition.first + transition.events.length - 1;
    if (step.jobs.length > 0 && last > after) yield step;
  }
}

type PlannedJob = Activation & { readonly job: JobEvent };

/** Follows one transition as `Fold` does, and collects what it activated. */
function planStep({ first: start, at, events }: Transition, replay: { suspended: boolean; deferred: PlannedJob[] }): ReplayStep {
  let jobs: PlannedJob[] = [];
  const recorded: EventBody[] = [];
  let first = start;
  let cut = false;
  for (const [index, event] of events.entries()) {
    const n = start + index;
    if (isCommandEvent(event)) {
      if (recorded.push(event) === 1) first = n;
    } else if (event.kind === 'resumed') {
      replay.suspended = false;
      jobs = replay.deferred.map((each) => ({ ...each, at }));
      replay.deferred = [];
    } else if (event.kind === 'voided') {
      replay.deferred = jobs.filter((each) => each.n >= event.n);
      jobs = jobs.filter((each) => each.n < event.n);
    } else if (event.kind === 'suspended') {
      replay.suspended = true;
      // Set aside as a whole, unless a `voided` before it has said which.
      if (replay.deferred.length === 0) [replay.deferred, jobs] = [jobs, []];
    } else if (event.kind === 'runFailed') cut = true;
    else if (event.kind !== 'repinned' && event.kind !== 'terminated' && event.kind !== 'rolledBack') {
      const job = { n, at, job: event, refusable: event.kind === 'signalReceived' || event.kind === 'updateAccepted' };
      if (replay.suspended) replay.deferred.push(job);
      else jobs = [job];
    }
  }
  return { jobs, recorded, first, cut };
}

/** Compares kind, name and arguments of what the code asked for with what is recorded. */
export function checkStep(step: ReplayStep, outputs: readonly ActivationOutput[]): Difference | undefined {
  if (step.cut) return undefined;
  return compareReplay(step.recorded, outputs.flatMap(({ refused, commands }) => (refused ? [] : commands)), step.first);
}

/** The same over bare commands: `recorded[0]` has number `first`. */
export function compareReplay(recorded: readonly EventBody[], commands: readonly Command[], first = 1): Difference | undefined {
  const asked = untilClosing(commands).map((command) => asAsked(toEvent(command, '')));
  for (let i = 0; i < Math.max(recorded.length, asked.length); i++) {
    const [then, now] = [recorded[i] && asAsked(recorded[i]!), asked[i]];
    if (then && now && sameJson(then, now)) continue;
    const context = recorded.slice(Math.max(0, i - 2), i).map((event, at) => `    ${first + Math.max(0, i - 2) + at}  ${describe(event)}`);
    return { n: first + i, diff: [...context, `  - ${first + i}  ${then ? describe(then) : 'nothing more (history)'}`, `  + ${first + i}  ${now ? describe(now) : 'nothing more (code)'}`].join('\n') };
  }
  return undefined;
}

const CHARS_MAX = 400;

const describe = ({ kind, ...rest }: EventBody): string => {
  const text = JSON.stringify(rest);
  return `${kind} ${text.length > CHARS_MAX ? `${text.slice(0, CHARS_MAX)}…` : text}`;
};

/** The jobs that are recorded and wait for `resumed`, from the history: for the `jobs` of a resume that come without theirs. */
export function jobsAt(transitions: Iterable<Transition>, numbers: readonly number[]): JobEvent[] {
  const wanted = new Set(numbers);
  const found: JobEvent[] = [];
  for (const { first, events } of transitions) for (const [index, event] of events.entries()) if (wanted.has(first + index)) found.push(event as JobEvent);
  return found;
}
