import type { EventBody, Input, InputBody, InputOf, Transition } from '@perdure/contract';
import type { FoldedRun } from './folded-run.js';

/**
 * The input that made a transition, read back from it: an input is stored once, as its event. `undefined` for what no input brings: a run that goes on as new is
 * started by the engine itself, in the transaction of the run before it.
 *
 * @throws when nothing in the transition tells (an input at fault was set aside: it is not in history)
 */
export const inputOf = ({ state }: FoldedRun, transition: Transition): Input | undefined => {
  const { tenant, workflowId, runId } = state.run;
  const [lead] = transition.events;
  if (!lead) throw new Error(`transition ${transition.first} of run ${runId} is empty`);
  if (lead.kind === 'started') return lead.continuedFrom === undefined ? startOf(lead, transition) : undefined;
  return { id: transition.inputId, tenant, workflowId, runId, at: transition.at, ...bodyOf(lead, transition) };
};

const given = <T extends object>(object: T): T => Object.fromEntries(Object.entries(object).filter(([, value]) => value !== undefined)) as T;

const startOf = ({ run, pin, chain, kind: _, ...rest }: Extract<EventBody, { kind: 'started' }>, { inputId, at }: Transition): InputOf<'start'> =>
  given({ id: inputId, tenant: run.tenant, workflowId: run.workflowId, at, kind: 'start' as const, newRunId: run.runId, bundle: pin.bundle, chain: chain === run.runId ? undefined : chain, ...rest }) as InputOf<'start'>;

const bodyOf = (lead: Exclude<EventBody, { kind: 'started' }>, { at, first, events }: Transition): InputBody => {
  switch (lead.kind) {
    case 'activityClosed':
    case 'childClosed':
    case 'signalSettled':
    case 'compensated':
      return lead;
    case 'timerFired':
    case 'waitTimedOut':
      return { kind: 'timerFired', seq: lead.seq, dueMs: at };
    case 'eventReceived':
      return { kind: 'eventOffered', seq: lead.seq, offerId: '1', event: lead.event };
    case 'childStarted':
      return { kind: 'childStarted', seq: lead.seq, childRunId: lead.runId };
    case 'signalReceived':
      return given({ kind: 'signal' as const, name: lead.name, input: lead.input });
    case 'updateAccepted':
      return given({ kind: 'update' as const, name: lead.name, input: lead.input });
    case 'cancelRequested':
      return given({ kind: 'cancel' as const, reason: lead.reason });
    case 'terminated':
      return given({ kind: 'terminate' as const, reason: lead.reason, compensate: lead.compensate });
    case 'suspended':
      if (lead.reason.kind === 'operator') return given({ kind: 'suspend' as const, reason: lead.reason.message });
      break;
    case 'repinned':
      return given({ kind: 'resume' as const, bundle: lead.pin.bundle, reason: events.find((each) => each.kind === 'resumed')?.reason });
    case 'resumed':
      return given({ kind: 'resume' as const, reason: lead.reason });
    case 'rolledBack':
      return { kind: 'compensated', seq: 0, outcome: lead.outcome };
    case 'runFailed':
      if (lead.error.code === 'failed-by-operator') return { kind: 'resume', fail: true, reason: lead.error.message };
      if (lead.error.code === 'run-timed-out') return { kind: 'timerFired', seq: 0, dueMs: at };
      break;
  }
  throw new Error(`nothing tells which input made event ${first}, ${lead.kind}`);
};
