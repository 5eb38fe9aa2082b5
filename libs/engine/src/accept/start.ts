import { isClosed } from '@perdure/contract';
import type { Effect, InputOf, InputOutcome, ProblemCode, ProblemData, RunKey, Started } from '@perdure/contract';
import { attributesProblem } from '../limit-check.js';
import type { AcceptContext, Decision, EngineHost, EngineLimits, Refuse } from '../decision.js';
import { startDigest } from '../fold.js';
import { given, jsonBytes } from '../json.js';
import { failedWith, tellChildClosed, tellChildStarted } from '../messages.js';
import type { RunState } from '../state.js';
import { drop } from './plan.js';

interface StartAsked {
  readonly state: RunState | undefined;
  readonly input: InputOf<'start'>;
  readonly context: AcceptContext;
  readonly limits: EngineLimits;
  readonly host: EngineHost;
}

/** Two starts of one workflow id (design §16): same type and input get the first's run, others 409; a closed run makes room for a new start id. */
export function acceptStart(asked: StartAsked): Decision {
  const { state, input, context, host } = asked;
  if (context.seen) return drop('repeated', { outcome: again(context.seen) });
  if (state === undefined) return planStart(asked);
  const isSame = state.inputDigest === startDigest(host, input);
  if (input.newRunId === state.run.runId) return isSame ? existing(state.run.runId) : exists(state, input);
  if (input.newRunId === state.chain) return existing(state.chain);
  if (isClosed(state.status)) return planStart(asked);
  return isSame && input.parent === undefined ? existing(state.run.runId) : exists(state, input);
}

/** Who sends it once more is told that the run was there. */
const again = (seen: InputOutcome): InputOutcome => (seen.kind === 'started' ? { ...seen, created: false } : seen);

const existing = (runId: string): Decision => drop('the run exists', { outcome: { kind: 'started', runId, created: false } });

const exists = (state: RunState, input: InputOf<'start'>): Refuse => {
  const verb = isClosed(state.status) ? 'has run' : 'runs';
  return refuseStart(input, 'workflow-exists', `workflow "${input.workflowId}" ${verb} already as ${state.workflowType} (run ${state.run.runId}), with another type, input or parent`);
};

const refuseStart = (input: InputOf<'start'>, code: ProblemCode, detail: string): Refuse => {
  const problem = { code, detail };
  return { kind: 'refuse', problem, effects: effectsOfRefusedStart(input, problem) };
};

/** A parent learns that its child could not start. */
export const effectsOfRefusedStart = (input: InputOf<'start'>, problem: ProblemData): Effect[] =>
  input.parent ? [tellChildClosed(input.parent, failedWith('StartRefused', problem), input.at)] : [];

function planStart({ input, context, limits }: StartAsked): Decision {
  if (context.pin === undefined) return refuseStart(input, 'unknown-workflow', `no bundle has the workflow "${input.workflowType}"`);
  const bytes = input.attributes ? jsonBytes(input.attributes) : 0;
  if (bytes > limits.attributesBytesMax) return refuseStart(input, 'limit-exceeded', attributesProblem(bytes, limits));
  const { workflowType, attributes, parent, continuedFrom, carried, runTimeoutMs, trace, at } = input;
  const run: RunKey = { tenant: input.tenant, workflowId: input.workflowId, runId: input.newRunId };
  const job: Started = given({
    kind: 'started', run, workflowType, pin: context.pin, input: input.input, attributes, parent, continuedFrom, chain: input.chain ?? run.runId, carried, runTimeoutMs, trace,
  });
  const effects: Effect[] = [];
  if (runTimeoutMs !== undefined) effects.push({ to: 'scheduler', kind: 'armTimer', run, seq: 0, dueMs: at + runTimeoutMs });
  if (parent && continuedFrom === undefined) effects.push(tellChildStarted(parent, run.runId, at));
  return {
    kind: 'activate', input, at, lead: [job], effects, outcome: { kind: 'started', runId: run.runId, created: true },
    jobs: [{ n: 1, at, job, refusable: false }], refusable: true,
  };
}
