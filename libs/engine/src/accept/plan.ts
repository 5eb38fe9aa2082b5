import type { Effect, EventBody, Input, InputOutcome, JobEvent, ProblemCode, ProblemData } from '@perdure/contract';
import type { Activate, Decision, Drop, EngineHost, EngineLimits, RecordOnly, Refuse } from '../decision.js';
import { failedWith, tellSender } from '../messages.js';
import type { RunState } from '../state.js';

/** What the deciders of all topics get. */
export interface Asked<I = Input> {
  readonly state: RunState;
  readonly input: I;
  readonly limits: EngineLimits;
  readonly host: EngineHost;
}

/** I5: the greatest of the input's stamp, the run's last event and a fired timer's due time. */
export const timeOf = (state: RunState, input: Input): number => Math.max(input.at, state.lastAt, input.kind === 'timerFired' ? input.dueMs : 0);

export const accepted = (state: RunState): InputOutcome => ({ kind: 'accepted', runId: state.run.runId });

export const drop = (why: string, { outcome, effects = [] }: { outcome?: InputOutcome; effects?: readonly Effect[] } = {}): Drop =>
  outcome === undefined ? { kind: 'drop', why, effects } : { kind: 'drop', why, outcome, effects };

export const refuse = (input: Input, code: ProblemCode, detail: string): Refuse => {
  const problem: ProblemData = { code, detail };
  return { kind: 'refuse', problem, effects: effectsOfRefusal(input, problem) };
};

/** Who waits for word of an input that was refused. A start's parent is told by the start's own decider. */
export function effectsOfRefusal(input: Input, problem: ProblemData): Effect[] {
  if ((input.kind !== 'signal' && input.kind !== 'cancel') || input.from === undefined) return [];
  return [tellSender(input.from, failedWith('SignalRefused', problem), input.at)];
}

interface PlanOptions {
  readonly effects?: readonly Effect[];
  readonly outcome?: InputOutcome;
  readonly refusable?: boolean;
}

/** The run's code is to see `job`: now, or after `resumed`. */
export function planJob({ state, input }: Asked, job: JobEvent, { effects = [], outcome, refusable = false }: PlanOptions = {}): Activate | RecordOnly {
  const at = timeOf(state, input);
  const planned = { input, at, lead: [job], effects, ...(outcome && { outcome }) };
  if (state.status === 'suspended') return { kind: 'record', ...planned };
  return { kind: 'activate', ...planned, jobs: [{ n: state.lastEvent + 1, at, job, refusable }], refusable };
}

/** Marks only. */
export const planMarks = ({ state, input }: Asked, lead: readonly EventBody[]): Decision => ({
  kind: 'record', input, at: timeOf(state, input), lead, effects: [], outcome: accepted(state),
});
