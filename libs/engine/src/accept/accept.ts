import { isClosed, LIMITS } from '@perdure/contract';
import type { Input } from '@perdure/contract';
import type { AcceptContext, Decision, EngineHost } from '../decision.js';
import type { RunState } from '../state.js';
import { acceptActivityClosed, acceptChildClosed, acceptChildStarted, acceptCompensated, acceptEventOffered, acceptSignalSettled, acceptTimerFired, acceptWaitRefused, giveBack } from './answer.js';
import { drop, refuse } from './plan.js';
import type { Asked } from './plan.js';
import { acceptCancel, acceptResume, acceptSignal, acceptSuspend, acceptTerminate, acceptUpdate } from './request.js';
import { acceptStart } from './start.js';

/** What follows from an input: chooses by what there is of the run, then by the input's kind. Reads the state only. */
export function accept(state: RunState | undefined, input: Input, { context, host }: { readonly context: AcceptContext; readonly host: EngineHost }): Decision {
  const limits = host.limits ?? LIMITS;
  if (input.kind === 'start') return acceptStart({ state, input, context, limits, host });
  if (context.seen) return drop('repeated', { outcome: context.seen });
  if (state === undefined) return acceptForNone(input);
  const asked = { state, input, limits, host };
  return isClosed(state.status) ? acceptClosed(asked) : acceptOpen(asked);
}

/** Whether someone outside is told what became of it. */
const isRequest = ({ kind }: Input): boolean =>
  kind === 'signal' || kind === 'update' || kind === 'cancel' || kind === 'terminate' || kind === 'suspend' || kind === 'resume';

function acceptForNone(input: Input): Decision {
  if (isRequest(input)) return refuse(input, 'unknown-run', `there is no run of workflow "${input.workflowId}"${input.runId === undefined ? '' : ` with id ${input.runId}`}`);
  return drop('there is no such run', { effects: input.kind === 'eventOffered' ? [giveBack(input)] : [] });
}

/** A chain of runs is one thing to those who talk to it, so what names an earlier run goes on to the next. */
function acceptClosed(asked: Asked): Decision {
  const { state, input } = asked;
  if (isRequest(input)) {
    if (state.continuedTo !== undefined) return { kind: 'redirect', runId: state.continuedTo };
    return refuse(input, 'run-closed', `run ${state.run.runId} is ${state.status}`);
  }
  if (input.kind === 'eventOffered') return acceptEventOffered({ ...asked, input });
  if (input.kind === 'compensated') return acceptCompensated({ ...asked, input });
  return drop(`the run is ${state.status}`);
}

function acceptOpen(asked: Asked): Decision {
  const { input } = asked;
  switch (input.kind) {
    case 'signal':
      return acceptSignal({ ...asked, input });
    case 'update':
      return acceptUpdate({ ...asked, input });
    case 'cancel':
      return acceptCancel({ ...asked, input });
    case 'terminate':
      return acceptTerminate({ ...asked, input });
    case 'suspend':
      return acceptSuspend({ ...asked, input });
    case 'resume':
      return acceptResume({ ...asked, input });
    case 'activityClosed':
      return acceptActivityClosed({ ...asked, input });
    case 'timerFired':
      return acceptTimerFired({ ...asked, input });
    case 'eventOffered':
      return acceptEventOffered({ ...asked, input });
    case 'waitRefused':
      return acceptWaitRefused({ ...asked, input });
    case 'childStarted':
      return acceptChildStarted({ ...asked, input });
    case 'childClosed':
      return acceptChildClosed({ ...asked, input });
    case 'signalSettled':
      return acceptSignalSettled({ ...asked, input });
    case 'compensated':
      return acceptCompensated({ ...asked, input });
    default:
      return drop(`there is no input of kind "${input.kind}"`);
  }
}
