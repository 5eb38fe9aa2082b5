import { activities, allHandlersFinished, condition, continueAsNew, isCancelRequested, isErrorNamed, nextSignal, onQuery, onUpdate, query, receive, saga, signal, sleep, startChild, update } from '@perdure/sdk/workflow';
import {
  childNameOf,
  effectIdOf,
  EVENT_TYPE,
  eventKeyOf,
  FOREVER_MS,
  SIGNALS_MAX,
  signalNameOf,
  updateAnswerOf,
  type ActivityStep,
  type ChildStep,
  type EventStep,
  type InterpreterInput,
  type LogEntry,
  type SagaStep,
  type SignalStep,
  type Step,
  type TogetherStep,
  type Work,
} from '../program/program.js';
import { optionsOf, UNDO_OPTIONS } from './activity-options.js';
import type * as effects from './effects.js';

const { perform, undo } = activities<ReturnType<typeof effects.createEffects>>(UNDO_OPTIONS);

for (let index = 0; index < SIGNALS_MAX; index++) signal(signalNameOf(index));
const logQuery = query<void, readonly LogEntry[]>('log');
const add = update<{ readonly n: number; readonly value: number; readonly works: boolean }, number>('add');

/** Does what a program says, and returns what each step came to. */
export async function interpret({ name, steps, onCancel, from = 0, log: before = [], updates: handled = [] }: InterpreterInput): Promise<readonly LogEntry[]> {
  const log = [...before];
  const updates = [...handled];
  onQuery(logQuery, () => log);
  onUpdate(
    add,
    async ({ n, value, works }) => {
      if (works) await perform.with(optionsOf({ kind: 'ok' }))({ effectId: effectIdOf(name, n), behaviour: { kind: 'ok' } });
      updates.push([n, value]);
      return updateAnswerOf(value);
    },
    {
      validate: ({ value }) => {
        if (value < 0) throw new RangeError('value must not be negative');
      },
    },
  );
  for (const [at, step] of steps.entries()) {
    if (at < from) continue;
    if (step.do === 'continue') {
      await condition(allHandlersFinished);
      return continueAsNew<typeof interpret>({ name, steps, onCancel, from: at + 1, log, updates });
    }
    try {
      log.push(step.do === 'updates' ? await updatesOf(updates, step.count) : await follow(name, step));
    } catch (error) {
      if (!isErrorNamed(error, 'Cancelled')) throw error;
      log.push('cancelled');
      if (onCancel === 'end-cancelled') throw error;
      return log;
    }
  }
  await condition(allHandlersFinished);
  return log;
}

const updatesOf = async (updates: readonly (readonly [number, number])[], count: number): Promise<LogEntry> => {
  await condition(() => updates.length >= count);
  return { updates: count };
};

const follow = async (name: string, step: Step): Promise<LogEntry> => {
  switch (step.do) {
    case 'activity':
      return settled(perform.with(optionsOf(step.behaviour))(workOf(name, step)));
    case 'sleep':
      await sleep(step.ms);
      return 'slept';
    case 'signal':
      return orTimedOut(() => nextSignal<string>(step.signal, timeoutOf(step)));
    case 'event':
      return event(name, step);
    case 'child':
      return child(name, step);
    case 'saga':
      return runSaga(name, step);
    case 'together':
      return together(name, step);
    case 'fail':
      throw new Error(`planned end of ${name}`);
    case 'forever':
      if (isCancelRequested()) return 'asked to stop';
      await sleep(FOREVER_MS);
      return 'waited in vain';
    default:
      throw new TypeError(`no step within another: ${step.do}`);
  }
};

const workOf = (name: string, { n, behaviour }: ActivityStep): Work => ({ effectId: effectIdOf(name, n), behaviour });

const timeoutOf = ({ timeoutMs }: SignalStep | EventStep): { readonly timeout?: number } => (timeoutMs === undefined ? {} : { timeout: timeoutMs });

/** An activity's value, or how it failed. */
const settled = async (result: Promise<{ readonly value: string }>): Promise<LogEntry> => {
  try {
    return (await result).value;
  } catch (error) {
    if (!isErrorNamed(error, 'ActivityFailed')) throw error;
    return { failed: (error as { readonly timeout?: string }).timeout ?? 'failed' };
  }
};

const TIMED_OUT = 'timed out';

const orTimedOut = async (wait: () => Promise<string>): Promise<LogEntry> => {
  try {
    return await wait();
  } catch (error) {
    if (!isErrorNamed(error, 'TimedOut')) throw error;
    return TIMED_OUT;
  }
};

const event = async (name: string, step: EventStep): Promise<LogEntry> => {
  const match = { key: eventKeyOf(name, step.n) };
  const first = await orTimedOut(async () => (await receive<{ readonly value: string }>(EVENT_TYPE, { match, ...timeoutOf(step) })).value);
  return first === TIMED_OUT && step.insists ? { late: (await receive<{ readonly value: string }>(EVENT_TYPE, { match })).value } : first;
};

const child = async (name: string, { n, steps, poke }: ChildStep): Promise<LogEntry> => {
  const childName = childNameOf(name, n);
  try {
    const started = await startChild(interpret, { workflowId: childName, input: { name: childName, steps, onCancel: 'end-cancelled' } });
    if (poke !== undefined) await started.signal(signalNameOf(0), poke);
    return { child: await started.result() };
  } catch (error) {
    if (!isErrorNamed(error, 'ChildFailed')) throw error;
    return { childFailed: (error.cause as Error).message };
  }
};

const runSaga = async (name: string, { parts, undoAnyway }: SagaStep): Promise<LogEntry> => {
  const steps = saga();
  const entries: LogEntry[] = [];
  try {
    for (const part of parts) {
      const entry = await settled(steps.run(perform.with(optionsOf(part.behaviour)), workOf(name, part), undo));
      entries.push(entry);
      if (typeof entry !== 'string') break;
    }
    if (typeof entries.at(-1) === 'string' && !undoAnyway) return { saga: entries };
  } catch (error) {
    await steps.compensate();
    throw error;
  }
  await steps.compensate();
  return { undone: entries };
};

const together = async (name: string, { mode, branches, losers }: TogetherStep): Promise<LogEntry> => {
  const running = branches.map((branch) => follow(name, branch));
  if (mode === 'all') return { all: await Promise.all(running) };
  const [won, value] = await Promise.race(running.map(async (branch, index) => [index, await branch] as const));
  if (losers === 'left') return { won, value };
  return { won, value, others: await Promise.all(running) };
};
