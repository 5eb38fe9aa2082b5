import { isClosed } from '@perdure/contract';
import type { CorrelationEffect, Effect, InputOf, JobEvent } from '@perdure/contract';
import { ALL_GUARDS } from '@perdure/guards';
import { pushCloseWait } from '../command-effects.js';
import type { Decision } from '../decision.js';
import { own } from '../json.js';
import { failure } from '../messages.js';
import type { RunState } from '../state.js';
import { drop, planJob } from './plan.js';
import type { Asked } from './plan.js';

/** An answer for a seq that no longer (or does not yet) await one. */
const late = (what: string, seq: number): Decision => drop(`${what} ${seq} is not pending`);

export function acceptActivityClosed(asked: Asked<InputOf<'activityClosed'>>): Decision {
  const { seq, outcome, attempts } = asked.input;
  return own(asked.state.activities, seq) ? planJob(asked, { kind: 'activityClosed', seq, outcome, attempts }) : late('activity', seq);
}

/** The scheduler's timers are of three sorts: seq 0 is the whole run's, the others are of a wait or a timer of the code. */
export function acceptTimerFired(asked: Asked<InputOf<'timerFired'>>): Decision {
  const { state, input } = asked;
  const { seq } = input;
  if (seq === 0) return acceptRunTimeout(asked);
  if (own(state.timers, seq)) return planJob(asked, { kind: 'timerFired', seq });
  if (own(state.waits, seq)?.dueMs === undefined) return late('timer', seq);
  const effects: Effect[] = [];
  pushCloseWait(effects, state, seq);
  return planJob(asked, { kind: 'waitTimedOut', seq }, { effects: effects.filter(({ to }) => to === 'correlation') });
}

function acceptRunTimeout({ state, input }: Asked<InputOf<'timerFired'>>): Decision {
  if (state.runTimeoutMs === undefined) return late('timer', 0);
  const error = failure('TimedOut', 'run-timed-out', `the run took longer than its limit of ${state.runTimeoutMs} ms`);
  return { kind: 'record', input, at: Math.max(input.at, state.lastAt, input.dueMs), lead: [{ kind: 'runFailed', error }], effects: [] };
}

const settleOffer = ({ state, input }: Asked<InputOf<'eventOffered'>>, taken: boolean): CorrelationEffect => ({
  to: 'correlation', kind: 'settleOffer', run: state.run, seq: input.seq, offerId: input.offerId, taken, event: input.event,
});

/** The run takes the event if its wait is open, and returns it if not. */
export function acceptEventOffered(asked: Asked<InputOf<'eventOffered'>>): Decision {
  const { state, input } = asked;
  const wait = own(state.waits, input.seq);
  if (!wait) {
    const taken = hasTaken(state, input);
    const returns = (asked.host.guards ?? ALL_GUARDS).has('returnOfOffers') ? [settleOffer(asked, taken)] : [];
    return drop(taken ? 'the offer was taken before' : `wait ${input.seq} is not open`, { effects: returns });
  }
  const effects: Effect[] = [settleOffer(asked, true)];
  if (wait.dueMs !== undefined) effects.push({ to: 'scheduler', kind: 'disarmTimer', run: state.run, seq: input.seq });
  return planJob(asked, { kind: 'eventReceived', seq: input.seq, event: input.event }, { effects });
}

const hasTaken = (state: RunState, { seq, event }: InputOf<'eventOffered'>): boolean =>
  state.taken.some((each) => each.seq === seq && each.source === event.source && each.id === event.id);

/** Correlation does not have the wait, so there is nothing to close there. */
export function acceptWaitRefused(asked: Asked<InputOf<'waitRefused'>>): Decision {
  const { state, input } = asked;
  const { seq, error } = input;
  const wait = own(state.waits, seq);
  if (!wait) return late('wait', seq);
  const effects: Effect[] = wait.dueMs === undefined ? [] : [{ to: 'scheduler', kind: 'disarmTimer', run: state.run, seq }];
  return planJob(asked, { kind: 'waitRefused', seq, error }, { effects });
}

export function acceptChildStarted(asked: Asked<InputOf<'childStarted'>>): Decision {
  const { seq, childRunId } = asked.input;
  const child = own(asked.state.children, seq);
  return child && child.runId === undefined ? planJob(asked, { kind: 'childStarted', seq, runId: childRunId }) : late('start of child', seq);
}

export const acceptChildClosed = (asked: Asked<InputOf<'childClosed'>>): Decision =>
  planIf(asked, own(asked.state.children, asked.input.seq), { kind: 'childClosed', seq: asked.input.seq, outcome: asked.input.outcome });

export const acceptSignalSettled = (asked: Asked<InputOf<'signalSettled'>>): Decision =>
  planIf(asked, own(asked.state.signals, asked.input.seq), { kind: 'signalSettled', seq: asked.input.seq, outcome: asked.input.outcome });

/** Seq 0 is the rollback of a terminated run: nobody's code is told, the history is. */
export function acceptCompensated(asked: Asked<InputOf<'compensated'>>): Decision {
  const { state, input } = asked;
  const { seq, outcome } = input;
  if (seq === 0 && state.rollingBack && isClosed(state.status)) {
    return { kind: 'record', input, at: Math.max(input.at, state.lastAt), lead: [{ kind: 'rolledBack', outcome }], effects: [] };
  }
  return planIf(asked, own(state.compensations, seq), { kind: 'compensated', seq, outcome });
}

const planIf = (asked: Asked, pending: unknown, job: Exclude<JobEvent, { kind: 'started' }> & { seq: number }): Decision => (pending ? planJob(asked, job) : late(job.kind, job.seq));

/** An offer to a run that is closed, or is not there at all, goes back. */
export const giveBack = (input: InputOf<'eventOffered'>): CorrelationEffect => {
  const { tenant, workflowId, runId = '', seq, offerId, event } = input;
  return { to: 'correlation', kind: 'settleOffer', run: { tenant, workflowId, runId }, seq, offerId, taken: false, event };
};
