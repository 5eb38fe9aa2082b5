import type { ActivationOutput, Command, EventBody, JobEvent, Transition } from '@perdure/contract';
import type { Activation } from './decision.js';
import { sameJson } from './json.js';
import { asAsked, commandsOf, isCommandEvent, toEvent, untilClosing } from './recorded.js';

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
      // It was recorded before the realm was asked, so the realm may have refused it.
      jobs = replay.deferred.map((each) => ({ ...each, at, refusable: true }));
      replay.deferred = [];
    } else if (event.kind === 'voided') {
      replay.deferred = jobs.filter((each) => each.n >= event.job);
      jobs = jobs.filter((each) => each.n < event.job);
    } else if (event.kind === 'suspended') {
      replay.suspended = true;
      // Set aside as a whole, unless a `voided` before it has said which.
      if (replay.deferred.length === 0) [replay.deferred, jobs] = [jobs, []];
    } else if (event.kind === 'runFailed') cut = true;
    else if (event.kind !== 'repinned' && event.kind !== 'terminated' && event.kind !== 'rolledBack') {
      const job = { n, at, job: event, refusable: false };
      if (replay.suspended) replay.deferred.push(job);
      else jobs = [job];
    }
  }
  return { jobs, recorded, first, cut };
}

/** Compares kind, name and arguments of what the code asked for with what is recorded. `outputs[i]` is of `step.jobs[i]`. */
export function checkStep({ jobs, recorded, first, cut }: ReplayStep, outputs: readonly ActivationOutput[]): Difference | undefined {
  const commands = untilClosing(jobs.flatMap(({ job }, i) => (outputs[i] ? commandsOf(job, outputs[i]) : [])));
  return compareReplay(recorded, cut ? commands.slice(0, recorded.length) : commands, first);
}

/** The same over bare commands: `recorded[0]` has number `first`. */
export function compareReplay(recorded: readonly EventBody[], commands: readonly Command[], first = 1): Difference | undefined {
  const asked = untilClosing(commands).map((command) => asAsked(toEvent(command, '')));
  for (let i = 0; i < Math.max(recorded.length, asked.length); i++) {
    const then = recorded[i] && asAsked(recorded[i]!);
    const now = asked[i];
    if (then && now && sameJson(then, now)) continue;
    return { n: first + i, diff: explain({ recorded, first, i, then, now }) };
  }
  return undefined;
}

interface Parting {
  readonly recorded: readonly EventBody[];
  readonly first: number;
  /** Where in `recorded` they part. */
  readonly i: number;
  readonly then: EventBody | undefined;
  readonly now: EventBody | undefined;
}

/** A few events of common ground, then what history has (-) and what the code asks for now (+). */
function explain({ recorded, first, i, then, now }: Parting): string {
  const start = Math.max(0, i - CONTEXT_EVENTS);
  const context = recorded.slice(start, i).map((event, at) => `    ${first + start + at}  ${describe(event)}`);
  const n = first + i;
  return [...context, `  - ${n}  ${then ? describe(then) : 'nothing more (history)'}`, `  + ${n}  ${now ? describe(now) : 'nothing more (code)'}`].join('\n');
}

const CONTEXT_EVENTS = 2;
const CHARS_MAX = 400;

const describe = ({ kind, ...rest }: EventBody): string => {
  const text = JSON.stringify(rest);
  return `${kind} ${text.length > CHARS_MAX ? `${text.slice(0, CHARS_MAX)}…` : text}`;
};

/** The deferred jobs of these numbers, from the history, in order: for those of a resume, which come by number alone. */
export function jobsAt(transitions: Iterable<Transition>, numbers: readonly number[]): JobEvent[] {
  const wanted = new Set(numbers);
  const found: JobEvent[] = [];
  for (const { first, events } of transitions) {
    for (const [index, event] of events.entries()) if (wanted.has(first + index)) found.push(event as JobEvent);
  }
  return found;
}
