import { idempotencyKeyOf, isClosed, type CompensationEffect, type Input, type RollbackStep, type TaskSpec } from '@perdure/contract';
import type { EventBody, Transition } from '@perdure/contract';
import type { WaitRow } from '@perdure/correlation';
import type { TimerRow } from '@perdure/scheduler';
import type { FoldedRun } from './folded-run.js';

/**
 * What the services must hold, told from the histories and the inputs on their way alone. It is computed anew here, not by the code that
 * wrote the rows: two ways to the same.
 */
export interface Rebuilt {
  readonly tasks: ReadonlyMap<string, TaskSpec>;
  readonly timers: ReadonlyMap<string, Omit<TimerRow, 'key'>>;
  readonly waits: ReadonlyMap<string, Pick<WaitRow, 'run' | 'seq' | 'chain' | 'wait' | 'openedAt'>>;
  /** Every rollback that was ever asked for, by run and seq. */
  readonly rollbacks: ReadonlyMap<string, CompensationEffect>;
  /** Those of them that somebody still waits for. */
  readonly rollbacksAwaited: ReadonlySet<string>;
}

type OnItsWay = (runId: string, seq: number) => boolean;

const isOnItsWay = (inbox: readonly Input[], kind: Input['kind']): OnItsWay => {
  const coming = new Set(inbox.filter((input) => input.kind === kind).map((input) => `${input.runId}/${'seq' in input ? input.seq : ''}`));
  return (runId, seq) => coming.has(`${runId}/${seq}`);
};

export const rebuild = (runs: Iterable<FoldedRun>, inbox: readonly Input[]): Rebuilt => {
  const tasks = new Map<string, TaskSpec>();
  const timers = new Map<string, Omit<TimerRow, 'key'>>();
  const waits = new Map<string, Pick<WaitRow, 'run' | 'seq' | 'chain' | 'wait' | 'openedAt'>>();
  const rollbacks = new Map<string, CompensationEffect>();
  const rollbacksAwaited = new Set<string>();
  const [isClosing, isFired, isCompensated, isRefused] = (['activityClosed', 'timerFired', 'compensated', 'waitRefused'] as const).map((kind) => isOnItsWay(inbox, kind)) as [OnItsWay, OnItsWay, OnItsWay, OnItsWay];
  for (const { state, transitions } of runs) {
    const { run, runTimeoutMs, startedAt } = state;
    const asked = askedBy(transitions);
    const keyOf = (seq: number | string): string => idempotencyKeyOf({ run, seq: Number(seq), role: 'activity' });
    const arm = (seq: number, dueMs: number | undefined): void => void (dueMs === undefined || isFired(run.runId, seq) || timers.set(keyOf(seq), { run, seq, dueMs }));
    for (const seq of Object.keys(state.activities)) if (!isClosing(run.runId, Number(seq))) tasks.set(keyOf(seq), taskOf(asked, state, Number(seq)));
    for (const [seq, { dueMs }] of Object.entries(state.timers)) arm(Number(seq), dueMs);
    for (const [seq, { wait, dueMs }] of Object.entries(state.waits)) {
      arm(Number(seq), dueMs);
      if (isRefused(run.runId, Number(seq))) continue;
      waits.set(keyOf(seq), { run, seq: Number(seq), chain: state.chain, wait, openedAt: asked.at.get(Number(seq))! });
    }
    if (!isClosed(state.status) && runTimeoutMs !== undefined) arm(0, startedAt + runTimeoutMs);
    for (const request of rollbacksOf(state, transitions)) rollbacks.set(keyOf(request.seq), request);
    for (const seq of [...Object.keys(state.compensations), ...(state.rollingBack ? ['0'] : [])]) if (!isCompensated(run.runId, Number(seq))) rollbacksAwaited.add(keyOf(seq));
  }
  return { tasks, timers, waits, rollbacks, rollbacksAwaited };
};

type EventOf<K extends EventBody['kind']> = Extract<EventBody, { kind: K }>;

interface Asked {
  /** By seq: when it was asked for, by which bundle, and the activity if it was one. */
  readonly at: ReadonlyMap<number, number>;
  readonly bundle: ReadonlyMap<number, string>;
  readonly activities: ReadonlyMap<number, EventOf<'activityScheduled'>>;
}

const askedBy = (transitions: readonly Transition[]): Asked => {
  const [at, bundle, activities] = [new Map<number, number>(), new Map<number, string>(), new Map<number, EventOf<'activityScheduled'>>()];
  for (const transition of transitions) {
    for (const event of transition.events) {
      if (event.kind !== 'activityScheduled' && event.kind !== 'waitOpened') continue;
      at.set(event.seq, transition.at);
      bundle.set(event.seq, transition.bundle);
      if (event.kind === 'activityScheduled') activities.set(event.seq, event);
    }
  }
  return { at, bundle, activities };
};

const taskOf = ({ at, bundle, activities }: Asked, { run, workflowType, trace }: FoldedRun['state'], seq: number): TaskSpec => {
  const { name, input, options } = activities.get(seq)!;
  return { run, seq, role: 'activity', name, ...(input === undefined ? {} : { input }), options, bundle: bundle.get(seq)!, workflowType, at: at.get(seq)!, ...(trace === undefined ? {} : { trace }) };
};

interface Undo {
  readonly registered: EventOf<'undoRegistered'>['undo'];
  readonly scheduled?: EventOf<'activityScheduled'>;
  readonly closed?: EventOf<'activityClosed'>;
}

/** What each compensation of the run had to take back, as things stood when it was asked for. */
function* rollbacksOf({ run, workflowType, trace }: FoldedRun['state'], transitions: readonly Transition[]): Iterable<CompensationEffect> {
  let undos: Undo[] = [];
  for (const { at, bundle, events } of transitions) {
    const request = (seq: number, cause: CompensationEffect['cause'], steps: readonly RollbackStep[]): CompensationEffect => ({ to: 'compensation', kind: 'rollback', run, seq, steps, cause, bundle, workflowType, at, ...(trace === undefined ? {} : { trace }) });
    for (const event of events) {
      if (event.kind === 'undoRegistered') undos.push({ registered: event.undo });
      else if (event.kind === 'activityScheduled') undos = undos.map((undo) => (undo.registered.activitySeq === event.seq ? { ...undo, scheduled: event } : undo));
      else if (event.kind === 'activityClosed') undos = undos.map((undo) => (undo.registered.activitySeq === event.seq ? { ...undo, closed: event } : undo));
      else if (event.kind === 'compensationRequested') {
        const mine = undos.filter(({ registered }) => registered.saga === event.saga);
        undos = undos.filter(({ registered }) => registered.saga !== event.saga);
        yield request(event.seq, 'code', stepsOf(run, mine));
      } else if (event.kind === 'terminated' && event.compensate) {
        const steps = stepsOf(run, undos);
        if (steps.length > 0) yield request(0, 'terminate', steps);
      }
    }
  }
}

/** Last registered first; what was never scheduled, or failed, had no effect. */
const stepsOf = (run: TaskSpec['run'], undos: readonly Undo[]): RollbackStep[] =>
  undos.toReversed().flatMap(({ registered, scheduled, closed }) => {
    if (!scheduled || closed?.outcome.status === 'failed') return [];
    const result = closed?.outcome.status === 'completed' ? closed.outcome.value : undefined;
    const undo = { ...(scheduled.input === undefined ? {} : { input: scheduled.input }), idempotencyKey: idempotencyKeyOf({ run, seq: registered.activitySeq, role: 'activity' as const }), ...(result === undefined ? {} : { result }) };
    return [{ ...registered, undo }];
  });
