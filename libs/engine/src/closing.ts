import type { Effect, EventBody, InputOf, JobEvent, Outcome, RunResult } from '@perdure/contract';
import { childRunId } from './command-effects.js';
import type { EngineHost } from './decision.js';
import { given } from './json.js';
import { askId, failure, tellChildClosed, toRun } from './messages.js';
import type { RunState } from './state.js';
import { rollbackSteps } from './undo.js';

interface Closing {
  readonly event: EventBody;
  readonly at: number;
  readonly host: EngineHost;
}

/** What the end of a run makes the outside do. `state` is as it was before the event that closes it. */
export function pushClosingEffects(effects: Effect[], state: RunState, { event, at, host }: Closing): void {
  const { run } = state;
  for (const [seq, { wait }] of Object.entries(state.waits)) effects.push({ to: 'correlation', kind: 'closeWait', run, seq: Number(seq), wait });
  if (hasScheduled(state)) effects.push({ to: 'scheduler', kind: 'dropRun', run });
  const compensate = event.kind === 'terminated' && event.compensate;
  for (const [seq, { workflowId, closePolicy }] of Object.entries(state.children)) {
    if (closePolicy === 'abandon') continue;
    const to = { tenant: run.tenant, workflowId, runId: childRunId(state, Number(seq), host) };
    const reason = 'its parent has closed';
    const body = closePolicy === 'cancel' ? ({ kind: 'cancel', reason } as const) : ({ kind: 'terminate', reason, compensate } as const);
    effects.push(toRun({ id: askId(run, Number(seq), 'parent-closed'), to, at, trace: state.trace }, body));
  }
  const steps = compensate ? rollbackSteps(state) : [];
  if (steps.length > 0) {
    effects.push(given({ to: 'compensation', kind: 'rollback', run, seq: 0, steps, cause: 'terminate', bundle: state.pin.bundle, workflowType: state.workflowType, at, trace: state.trace }));
  }
  const outcome = outcomeOf(event);
  if (state.parent && outcome) effects.push(tellChildClosed(state.parent, outcome, at));
}

/** Whether the scheduler holds anything of the run. */
const hasScheduled = (state: RunState): boolean =>
  state.runTimeoutMs !== undefined || isNotEmpty(state.activities) || isNotEmpty(state.timers) || Object.values(state.waits).some(({ dueMs }) => dueMs !== undefined);

const isNotEmpty = (record: object): boolean => {
  for (const _ in record) return true;
  return false;
};

/** A closing event as its parent sees it; `undefined` for a run that goes on as a new one. */
export function outcomeOf(event: EventBody): Outcome | undefined {
  switch (event.kind) {
    case 'completed':
      return given({ status: 'completed' as const, value: event.result });
    case 'failed':
    case 'runFailed':
      return { status: 'failed', error: event.error };
    case 'cancelled':
      return { status: 'cancelled', error: event.error };
    case 'terminated':
      return { status: 'failed', error: terminatedError(event.reason) };
    default:
      return undefined;
  }
}

/** A closing event as `result` shows it; `undefined` for any other event. */
export function resultOf(runId: string, event: EventBody): RunResult | undefined {
  switch (event.kind) {
    case 'completed':
      return given({ status: 'completed' as const, runId, result: event.result });
    case 'failed':
    case 'runFailed':
      return { status: 'failed', runId, error: event.error };
    case 'cancelled':
      return { status: 'cancelled', runId, error: event.error };
    case 'terminated':
      return { status: 'terminated', runId, error: terminatedError(event.reason) };
    case 'continuedAsNew':
      return { status: 'continued', runId, nextRunId: event.nextRunId };
    default:
      return undefined;
  }
}

const terminatedError = (reason: string | undefined) => failure('Terminated', 'terminated', reason ?? 'the run was terminated');

/** The start of the run that goes on. Signals that the code never saw (`untaken`) follow those it handed over. */
export function continuationOf(state: RunState, event: EventBody, { at, untaken }: { readonly at: number; readonly untaken: readonly JobEvent[] }): InputOf<'start'> | undefined {
  if (event.kind !== 'continuedAsNew') return undefined;
  const { run, parent, runTimeoutMs, chain, trace } = state;
  const signals = untaken.filter((job) => job.kind === 'signalReceived').map(({ id, name, input }) => given({ id, name, input }));
  return given({
    id: `${run.runId}/continued`, tenant: run.tenant, workflowId: run.workflowId, at, trace,
    kind: 'start' as const, workflowType: event.workflowType, newRunId: event.nextRunId, bundle: state.pin.bundle, input: event.input,
    attributes: event.attributes ?? state.attributes, runTimeoutMs, parent, continuedFrom: run.runId, chain, carried: [...event.carried, ...signals],
  });
}
