import type { InputOf, SuspendReason } from '@perdure/contract';
import type { Activation, Decision } from '../decision.js';
import { given } from '../json.js';
import { failure, tellSender } from '../messages.js';
import { accepted, drop, planJob, planMarks, refuse, timeOf } from './plan.js';
import type { Asked } from './plan.js';

const DELIVERED = { status: 'completed' } as const;

export function acceptSignal(asked: Asked<InputOf<'signal'>>): Decision {
  const { state, input, limits } = asked;
  if (state.status === 'suspended' && state.lastEvent + 1 >= limits.historyEventsMax) {
    return refuse(input, 'limit-exceeded', `the run is suspended and its history holds ${state.lastEvent} events; resume or end it`);
  }
  const job = given({ kind: 'signalReceived', id: input.id, name: input.name, input: input.input } as const);
  const effects = input.from ? [tellSender(input.from, DELIVERED, timeOf(state, input))] : [];
  return planJob(asked, job, { effects, outcome: accepted(state), refusable: true });
}

export function acceptUpdate(asked: Asked<InputOf<'update'>>): Decision {
  const { state, input } = asked;
  if (state.status === 'suspended') return refuse(input, 'run-suspended', `run ${state.run.runId} is suspended (${state.suspended?.kind}); resume it, then send the update again`);
  const job = given({ kind: 'updateAccepted', id: input.id, name: input.name, input: input.input } as const);
  return planJob(asked, job, { outcome: accepted(state), refusable: true });
}

/** Cancel is delivered once. */
export function acceptCancel(asked: Asked<InputOf<'cancel'>>): Decision {
  const { state, input } = asked;
  const effects = input.from ? [tellSender(input.from, DELIVERED, timeOf(state, input))] : [];
  if (state.cancelRequested) return drop('cancel was requested before', { outcome: accepted(state), effects });
  return planJob(asked, given({ kind: 'cancelRequested', reason: input.reason } as const), { effects, outcome: accepted(state) });
}

export const acceptTerminate = (asked: Asked<InputOf<'terminate'>>): Decision =>
  planMarks(asked, [given({ kind: 'terminated', reason: asked.input.reason, compensate: asked.input.compensate } as const)]);

export function acceptSuspend(asked: Asked<InputOf<'suspend'>>): Decision {
  const { state, input } = asked;
  if (state.status === 'suspended') return drop('the run is suspended', { outcome: accepted(state) });
  const reason: SuspendReason = input.poisoned ? { kind: 'poisoned', ...input.poisoned } : given({ kind: 'operator', message: input.reason } as const);
  return planMarks(asked, [{ kind: 'suspended', reason }]);
}

/** Lets the deferred jobs run, on another bundle if it is given; or ends the run as failed. */
export function acceptResume(asked: Asked<InputOf<'resume'>>): Decision {
  const { state, input } = asked;
  if (state.status !== 'suspended') return refuse(input, 'run-not-suspended', `run ${state.run.runId} is ${state.status}`);
  if (input.fail) return planMarks(asked, [{ kind: 'runFailed', error: failure('Failed', 'failed-by-operator', input.reason ?? 'an operator ended the run') }]);
  const resumed = given({ kind: 'resumed', reason: input.reason } as const);
  const repinTo = input.bundle !== undefined && input.bundle !== state.pin.bundle ? { repinTo: input.bundle } : undefined;
  if (state.deferred.length === 0 && !repinTo) return planMarks(asked, [resumed]);
  const at = timeOf(state, input);
  const jobs = state.deferred.map((n): Activation => ({ n, at, refusable: true }));
  return { kind: 'activate', input, at, lead: [resumed], effects: [], outcome: accepted(state), jobs, refusable: false, ...repinTo };
}
