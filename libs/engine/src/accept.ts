import type { Effect, EventBody, Input, InputOf, InputOutcome, JobEvent, ProblemData } from '@perdure/contract';
import { isClosed } from '@perdure/contract';
import { pushCloseWait } from './command-effects.js';
import type { AcceptContext, Activate, Decision, Drop, EngineHost, RecordOnly, Refuse } from './decision.js';
import { assert } from './assert.js';
import { startDigest } from './fold.js';
import { given, own } from './json.js';
import { failedWith, failure, tellChildClosed, tellChildStarted, tellSender } from './messages.js';
import type { RunState } from './state.js';

const drop = (why: string, more: { readonly outcome?: InputOutcome | undefined; readonly effects?: readonly Effect[] } = {}): Drop => given({ kind: 'drop', why, outcome: more.outcome, effects: more.effects ?? [] });

/** Whoever waits for word of an input that cannot be is told so. */
const refuse = (input: Input, problem: ProblemData): Refuse => {
  const effects: Effect[] = [];
  if (input.kind === 'start' && input.parent) effects.push(tellChildClosed(input.parent, failedWith('StartRefused', problem), input.at));
  if ((input.kind === 'signal' || input.kind === 'cancel') && input.from) effects.push(tellSender(input.from, failedWith('SignalRefused', problem), input.at));
  return { kind: 'refuse', problem, effects };
};

/** The arguments of a decision about a run that there is. */
interface Ask<I extends Input = Input> {
  readonly state: RunState;
  readonly input: I;
  readonly at: number;
}

const accepted = ({ state }: Ask): InputOutcome => ({ kind: 'accepted', runId: state.run.runId });

const record = ({ input, at }: Ask, lead: readonly EventBody[], more: { readonly outcome?: InputOutcome | undefined; readonly effects?: readonly Effect[] } = {}): RecordOnly =>
  given({ kind: 'record', input, at, lead, effects: more.effects ?? [], outcome: more.outcome });

/** A job is activated, or in a suspended run recorded for later. */
const job = (ask: Ask, event: JobEvent, more: { readonly outcome?: InputOutcome; readonly effects?: readonly Effect[]; readonly refusable?: boolean } = {}): RecordOnly | Activate => {
  if (ask.state.status === 'suspended') return record(ask, [event], more);
  const { refusable = false, effects = [], outcome } = more;
  return given({ kind: 'activate', input: ask.input, at: ask.at, lead: [event], effects, outcome, jobs: [{ n: ask.state.lastEvent + 1, at: ask.at, job: event, refusable }], refusable });
};

/** What follows from an input. Reads the state and changes nothing. */
export function decide(state: RunState | undefined, input: Input, { host, context }: { readonly host: EngineHost; readonly context: AcceptContext }): Decision {
  if (context.seen) return drop('repeated', { outcome: context.seen, effects: toldAgain(input) });
  if (input.kind === 'start') return acceptStart(state, input, { host, context });
  if (!state) return noRun(input);
  if (isClosed(state.status)) return acceptClosed(state, input);
  return acceptOpen({ state, input, at: timeOf(state, input) });
}

/** I5: time never runs backwards within a run, and a timer does not fire before it is due. */
const timeOf = (state: RunState, input: Input): number => Math.max(input.at, state.lastAt, input.kind === 'timerFired' ? input.dueMs : 0);

const toldAgain = (input: Input): readonly Effect[] => ((input.kind === 'signal' || input.kind === 'cancel') && input.from ? [tellSender(input.from, { status: 'completed' }, input.at)] : []);

function acceptStart(state: RunState | undefined, input: InputOf<'start'>, { host, context }: { readonly host: EngineHost; readonly context: AcceptContext }): Decision {
  const { tenant, workflowId, newRunId: runId, workflowType, parent } = input;
  if (state?.run.runId === runId) {
    return drop('repeated', { outcome: { kind: 'started', runId, created: false }, effects: parent ? [tellChildStarted(parent, runId, input.at)] : [] });
  }
  if (state && !isClosed(state.status)) {
    const same = !parent && state.inputDigest === startDigest(host, input);
    if (same) return drop('repeated', { outcome: { kind: 'started', runId: state.run.runId, created: false } });
    return refuse(input, { code: 'workflow-exists', detail: `"${workflowId}" is running as ${state.workflowType} (run ${state.run.runId}) with ${parent ? 'another parent' : 'another type or input'}.` });
  }
  assert(context.pin, 'a start comes with the pin of its run');
  const { input: payload, attributes, continuedFrom, carried, runTimeoutMs, trace } = input;
  const run = { tenant, workflowId, runId };
  const at = Math.max(input.at, input.continuedFrom === state?.run.runId ? (state?.lastAt ?? 0) : 0);
  const started = given({ kind: 'started' as const, run, workflowType, pin: context.pin, input: payload, attributes, parent, continuedFrom, chain: input.chain ?? runId, carried, runTimeoutMs, trace });
  const effects: Effect[] = [];
  if (parent && continuedFrom === undefined) effects.push(tellChildStarted(parent, runId, at));
  if (runTimeoutMs !== undefined) effects.push({ to: 'scheduler', kind: 'armTimer', run, seq: 0, dueMs: at + runTimeoutMs });
  return { kind: 'activate', input, at, lead: [started], effects, outcome: { kind: 'started', runId, created: true }, jobs: [{ n: 1, at, job: started, refusable: true }], refusable: true };
}

const returned = (input: InputOf<'eventOffered'>, taken: boolean): Effect => ({
  to: 'correlation',
  kind: 'settleOffer',
  run: { tenant: input.tenant, workflowId: input.workflowId, runId: input.runId ?? '' },
  seq: input.seq,
  offerId: input.offerId,
  taken,
  event: input.event,
});

function noRun(input: Input): Decision {
  switch (input.kind) {
    case 'eventOffered':
      return drop('no such run', { effects: [returned(input, false)] });
    case 'signal':
    case 'update':
    case 'cancel':
    case 'terminate':
    case 'suspend':
    case 'resume':
      return refuse(input, { code: 'unknown-run', detail: `There is no run of "${input.workflowId}"${input.runId ? ` named ${input.runId}` : ''}.` });
    default:
      return drop('no such run');
  }
}

function acceptClosed(state: RunState, input: Input): Decision {
  const ask = { state, input, at: timeOf(state, input) };
  switch (input.kind) {
    case 'eventOffered':
      return drop('the run has closed', { effects: [returned(input, wasTaken(state, input))] });
    case 'compensated':
      return input.seq === 0 && state.rollingBack ? record(ask, [{ kind: 'rolledBack', outcome: input.outcome }]) : drop('the run has closed');
    case 'signal':
    case 'update':
    case 'cancel':
    case 'terminate':
    case 'suspend':
    case 'resume':
      if (state.continuedTo !== undefined) return { kind: 'redirect', runId: state.continuedTo };
      return refuse(input, { code: 'run-closed', detail: `Run ${state.run.runId} of "${state.run.workflowId}" has closed: ${state.status}.` });
    default:
      return drop('the run has closed');
  }
}

const wasTaken = (state: RunState, { seq, event }: InputOf<'eventOffered'>): boolean => state.taken.some((each) => each.seq === seq && each.source === event.source && each.id === event.id);

function acceptOpen(ask: Ask): Decision {
  const { state, input, at } = ask;
  switch (input.kind) {
    case 'signal': {
      const { id, name, input: payload, from } = input;
      return job(ask, given({ kind: 'signalReceived', id, name, input: payload }), { outcome: accepted(ask), refusable: true, effects: from ? [tellSender(from, { status: 'completed' }, at)] : [] });
    }
    case 'update': {
      if (state.status === 'suspended') return refuse(input, { code: 'run-suspended', detail: `Run ${state.run.runId} is suspended; resume it first.` });
      const { id, name, input: payload } = input;
      return job(ask, given({ kind: 'updateAccepted', id, name, input: payload }), { outcome: accepted(ask), refusable: true });
    }
    case 'cancel': {
      const effects = input.from ? [tellSender(input.from, { status: 'completed' }, at)] : [];
      if (state.cancelRequested) return drop('cancel was requested before', { outcome: accepted(ask), effects });
      return job(ask, given({ kind: 'cancelRequested', reason: input.reason }), { outcome: accepted(ask), effects });
    }
    case 'terminate':
      return record(ask, [given({ kind: 'terminated', reason: input.reason, compensate: input.compensate })], { outcome: accepted(ask) });
    case 'suspend':
      if (state.status === 'suspended') return drop('suspended before', { outcome: accepted(ask) });
      return record(ask, [{ kind: 'suspended', reason: given({ kind: 'operator', message: input.reason }) }], { outcome: accepted(ask) });
    case 'resume':
      return acceptResume({ ...ask, input });
    case 'start':
      throw new Error('broken invariant: a start is decided apart');
    default:
      return acceptSettling({ ...ask, input });
  }
}

function acceptResume(ask: Ask<InputOf<'resume'>>): Decision {
  const { state, input, at } = ask;
  if (state.status !== 'suspended') return refuse(input, { code: 'run-not-suspended', detail: `Run ${state.run.runId} is not suspended.` });
  if (input.fail) {
    const message = input.reason ?? (state.suspended && 'message' in state.suspended ? state.suspended.message : undefined) ?? 'an operator ended the suspended run';
    return record(ask, [{ kind: 'runFailed', error: failure('Failed', 'failed-by-operator', message) }], { outcome: accepted(ask) });
  }
  const jobs = state.deferred.map((n) => ({ n, at, refusable: true }));
  const repinTo = input.bundle === state.pin.bundle ? undefined : input.bundle;
  return given({ kind: 'activate', input, at, lead: [given({ kind: 'resumed', reason: input.reason })], effects: [], outcome: accepted(ask), jobs, refusable: false, repinTo });
}

type Settling = InputOf<'activityClosed' | 'timerFired' | 'eventOffered' | 'compensated' | 'childStarted' | 'childClosed' | 'signalSettled'>;

/** Answers to what the run has asked for. The first counts; later ones find nothing pending. */
function acceptSettling(ask: Ask<Settling>): Decision {
  const { state, input } = ask;
  switch (input.kind) {
    case 'activityClosed':
      return own(state.activities, input.seq) ? job(ask, { kind: 'activityClosed', seq: input.seq, outcome: input.outcome, attempts: input.attempts }) : drop('not pending');
    case 'timerFired':
      return acceptTimer({ ...ask, input });
    case 'eventOffered':
      return acceptOffer({ ...ask, input });
    case 'compensated':
      return own(state.compensations, input.seq) ? job(ask, { kind: 'compensated', seq: input.seq, outcome: input.outcome }) : drop('not pending');
    case 'childStarted': {
      const child = own(state.children, input.seq);
      return child && child.runId === undefined ? job(ask, { kind: 'childStarted', seq: input.seq, runId: input.childRunId }) : drop('not pending');
    }
    case 'childClosed':
      return own(state.children, input.seq) ? job(ask, { kind: 'childClosed', seq: input.seq, outcome: input.outcome }) : drop('not pending');
    case 'signalSettled':
      return own(state.signals, input.seq) ? job(ask, { kind: 'signalSettled', seq: input.seq, outcome: input.outcome }) : drop('not pending');
  }
}

function acceptTimer(ask: Ask<InputOf<'timerFired'>>): Decision {
  const { state, input } = ask;
  if (input.seq === 0) {
    if (state.runTimeoutMs === undefined) return drop('not pending');
    return record(ask, [{ kind: 'runFailed', error: failure('TimedOut', 'run-timed-out', `the run did not end within ${state.runTimeoutMs} ms`) }]);
  }
  if (own(state.timers, input.seq)) return job(ask, { kind: 'timerFired', seq: input.seq });
  const wait = own(state.waits, input.seq);
  if (wait?.dueMs === undefined) return drop('not pending');
  const effects: Effect[] = [{ to: 'correlation', kind: 'closeWait', run: state.run, seq: input.seq, wait: wait.wait }];
  return job(ask, { kind: 'waitTimedOut', seq: input.seq }, { effects });
}

function acceptOffer(ask: Ask<InputOf<'eventOffered'>>): Decision {
  const { state, input } = ask;
  const wait = own(state.waits, input.seq);
  if (!wait) return drop('the wait is over', { effects: [returned(input, wasTaken(state, input))] });
  const closing: Effect[] = [];
  pushCloseWait(closing, state, input.seq);
  // Correlation forgets the wait with the offer; only the timeout is left to disarm.
  const effects = [returned(input, true), ...closing.filter((effect) => effect.to === 'scheduler')];
  return job(ask, { kind: 'eventReceived', seq: input.seq, event: input.event }, { effects });
}
