import { isClosed } from '@perdure/contract';
import type { CommandEvent, EventBody, EventReceived, JobEvent, MarkEvent, RunStatus, Started } from '@perdure/contract';
import { assert } from './assert.js';
import { mergeAttributes } from './attributes.js';
import type { EngineHost } from './decision.js';
import { canonical, own } from './json.js';
import { OFFERS_REMEMBERED_MAX } from './state.js';
import type { RunState } from './state.js';
import { noteClosed, noteScheduled, rollbackSteps } from './undo.js';

/** Tells a repeated start from a conflicting one. */
export const startDigest = (host: EngineHost, start: Pick<Started, 'workflowType' | 'input'>): string => host.digest(canonical([start.workflowType, start.input ?? null]));

const CLOSED_BY: Readonly<Record<string, RunStatus>> = {
  completed: 'completed',
  failed: 'failed',
  runFailed: 'failed',
  cancelled: 'cancelled',
  terminated: 'terminated',
  continuedAsNew: 'continued',
};
export const statusAfter = (event: EventBody): RunStatus | undefined => own(CLOSED_BY, event.kind);

/**
 * Folds the events of ONE transition into a run's state, one by one. The live path and the rebuild use this same class, which is why the state is the fold of
 * the history.
 *
 * 1. Jobs recorded while the run is suspended are deferred; so are those of this transition that a `voided` or `suspended` mark in it follows.
 * 2. A closed run holds nothing pending.
 * 3. `state.pending` is the number of things in the six maps of what is pending.
 */
export class Fold {
  #state: RunState | undefined;
  readonly #at: number;
  readonly #host: EngineHost;
  /** Jobs that this transition activated, as far as it got. */
  #activated: number[] = [];

  constructor(state: RunState | undefined, at: number, host: EngineHost) {
    this.#state = state;
    this.#at = at;
    this.#host = host;
  }

  get state(): RunState {
    assert(this.#state, 'the first event of a run is `started`');
    return this.#state;
  }

  apply(event: EventBody): void {
    if (event.kind === 'started') {
      this.#state = born(event, this.#at, this.#host);
      this.#activated = [1];
      return;
    }
    const state = this.state;
    state.lastEvent += 1;
    state.lastAt = this.#at;
    this.#applyTo(state, event);
    const status = statusAfter(event);
    if (status !== undefined) close(state, status, this.#at);
  }

  #applyTo(state: RunState, event: Exclude<EventBody, Started>): void {
    switch (event.kind) {
      case 'activityClosed':
      case 'timerFired':
      case 'eventReceived':
      case 'waitTimedOut':
      case 'waitRefused':
      case 'childStarted':
      case 'childClosed':
      case 'signalReceived':
      case 'signalSettled':
      case 'updateAccepted':
      case 'cancelRequested':
      case 'compensated':
        settleJob(state, event);
        if (state.status === 'suspended') state.deferred.push(state.lastEvent);
        else this.#activated = [state.lastEvent];
        return;
      case 'voided':
      case 'suspended':
      case 'resumed':
      case 'repinned':
      case 'terminated':
      case 'runFailed':
      case 'rolledBack':
        return this.#mark(state, event);
      default:
        applyCommand(state, event, this.#at);
    }
  }

  #mark(state: RunState, event: MarkEvent): void {
    switch (event.kind) {
      case 'voided':
        state.deferred = this.#activated.filter((n) => n >= event.job);
        this.#activated = [];
        return;
      case 'suspended':
        state.status = 'suspended';
        state.suspended = event.reason;
        if (this.#activated.length > 0) state.deferred = this.#activated;
        this.#activated = [];
        return;
      case 'resumed':
        state.status = 'running';
        delete state.suspended;
        this.#activated = state.deferred;
        state.deferred = [];
        return;
      case 'repinned':
        state.pin = event.pin;
        return;
      case 'terminated':
        if (event.compensate && rollbackSteps(state).length > 0) state.rollingBack = true;
        return;
      case 'rolledBack':
        delete state.rollingBack;
        return;
      case 'runFailed':
        return;
    }
  }
}

function born(event: Started, at: number, host: EngineHost): RunState {
  const { run, workflowType, pin, chain, continuedFrom, parent, trace, runTimeoutMs } = event;
  return {
    run, workflowType, status: 'running', pin, chain,
    ...(continuedFrom !== undefined && { continuedFrom }),
    ...(parent !== undefined && { parent }),
    ...(trace !== undefined && { trace }),
    ...(runTimeoutMs !== undefined && { runTimeoutMs }),
    attributes: mergeAttributes({}, event.attributes ?? {}),
    startedAt: at,
    inputDigest: startDigest(host, event),
    lastEvent: 1, lastAt: at, lastSeq: 0, lastUndoSeq: 0,
    activities: {}, timers: {}, waits: {}, children: {}, signals: {}, compensations: {}, pending: 0,
    undo: [], updates: [], taken: [], cancelRequested: false, deferred: [],
  };
}

/** What awaited the job awaits it no longer, whether its activation comes now or later. */
function settleJob(state: RunState, event: Exclude<JobEvent, Started>): void {
  switch (event.kind) {
    case 'activityClosed':
      noteClosed(state.undo, event);
      return remove(state, state.activities, event.seq);
    case 'timerFired':
      return remove(state, state.timers, event.seq);
    case 'eventReceived':
      noteTaken(state, event);
      return remove(state, state.waits, event.seq);
    case 'waitTimedOut':
    case 'waitRefused':
      return remove(state, state.waits, event.seq);
    case 'childStarted': {
      const child = own(state.children, event.seq);
      if (child) child.runId = event.runId;
      return;
    }
    case 'childClosed':
      return remove(state, state.children, event.seq);
    case 'signalSettled':
      return remove(state, state.signals, event.seq);
    case 'compensated':
      return remove(state, state.compensations, event.seq);
    case 'updateAccepted':
      state.updates.push(event.id);
      return;
    case 'cancelRequested':
      state.cancelRequested = true;
      return;
    case 'signalReceived':
      return;
  }
}

function applyCommand(state: RunState, event: CommandEvent, at: number): void {
  if ('seq' in event && event.seq > state.lastSeq) state.lastSeq = event.seq;
  switch (event.kind) {
    case 'activityScheduled':
      noteScheduled(state.undo, event);
      return add(state, state.activities, [event.seq, { name: event.name }]);
    case 'activityCancelRequested': {
      const activity = own(state.activities, event.seq);
      if (activity) activity.cancelRequested = true;
      return;
    }
    case 'timerStarted':
      return add(state, state.timers, [event.seq, { dueMs: at + event.durationMs }]);
    case 'timerCancelled':
      return remove(state, state.timers, event.seq);
    case 'waitOpened':
      return add(state, state.waits, [event.seq, { wait: event.wait, ...(event.timeoutMs !== undefined && { dueMs: at + event.timeoutMs }) }]);
    case 'waitCancelled':
      return remove(state, state.waits, event.seq);
    case 'childRequested':
      return add(state, state.children, [event.seq, { workflowId: event.workflowId, closePolicy: event.parentClosePolicy }]);
    case 'signalSent':
    case 'runCancelSent':
      return add(state, state.signals, [event.seq, true]);
    case 'undoRegistered':
      state.undo.push({ ...event.undo, activity: 'registered' });
      state.lastUndoSeq = event.undo.undoSeq;
      return;
    case 'compensationRequested':
      state.undo = state.undo.filter((record) => record.saga !== event.saga);
      return add(state, state.compensations, [event.seq, true]);
    case 'attributesUpserted':
      state.attributes = mergeAttributes(state.attributes, event.attributes);
      return;
    case 'updateCompleted':
      state.updates = state.updates.filter((id) => id !== event.updateId);
      return;
    case 'continuedAsNew':
      state.continuedTo = event.nextRunId;
      return;
    case 'childCancelRequested':
    case 'completed':
    case 'failed':
    case 'cancelled':
      return;
  }
}

function add<T>(state: RunState, map: Record<string, T>, [seq, value]: readonly [number, T]): void {
  map[seq] = value;
  state.pending += 1;
}

function remove<T>(state: RunState, map: Record<string, T>, seq: number): void {
  if (!Object.hasOwn(map, seq)) return;
  delete map[seq];
  state.pending -= 1;
}

function noteTaken(state: RunState, { seq, event }: EventReceived): void {
  state.taken.push({ seq, source: event.source, id: event.id });
  if (state.taken.length > OFFERS_REMEMBERED_MAX) state.taken.shift();
}

function close(state: RunState, status: RunStatus, at: number): void {
  assert(!isClosed(state.status), 'a run closes once');
  state.status = status;
  state.closedAt = at;
  delete state.suspended;
  state.activities = {};
  state.timers = {};
  state.waits = {};
  state.children = {};
  state.signals = {};
  state.compensations = {};
  state.pending = 0;
  state.undo = [];
  state.updates = [];
  state.deferred = [];
}
