import { describe, it } from '@jest/globals';
import { isClosed, LIMITS } from '@perdure/contract';
import type { Command, Input, JobEvent } from '@perdure/contract';
import fc from 'fast-check';
import type { ActivationResult } from './decision.js';
import type { RunState } from './state.js';
import { Outside } from './trace/outside.js';
import { PIN, World } from './trace/world.js';
import type { Act } from './trace/world.js';

/** A roll of dice decides what happens next; what it means depends on what is pending, so that most of it hits. */
const dice = fc.array(fc.nat(999), { minLength: 24, maxLength: 24 });
const limits = { ...LIMITS, pendingPerRunMax: 12, historyEventsMax: 60, undoStepsMax: 4, commandsPerActivationMax: 6 };
const error = { type: 'Error', message: 'no' };
const OUTCOMES = [{ status: 'completed', value: 1 }, { status: 'completed' }, { status: 'failed', error }, { status: 'timedOut', timeout: 'startToClose', error }, { status: 'cancelled', error }];
const options = { queue: 'default', startToCloseTimeoutMs: 1, retry: { maxAttempts: 0, initialIntervalMs: 1, backoffCoefficient: 1, maxIntervalMs: 1 } };

class Dice {
  readonly #rolls: readonly number[];
  #next = 0;
  constructor(rolls: readonly number[]) {
    this.#rolls = rolls;
  }
  upTo(bound: number): number {
    return this.#rolls[this.#next++ % this.#rolls.length]! % bound;
  }
  pick<T>(from: readonly T[]): T {
    return from[this.upTo(from.length)]!;
  }
}

const makers: readonly ((dice: Dice, state: { seq: number; undoSeq: number; updates: readonly string[] }) => object | readonly object[])[] = [
  (_, s) => ({ kind: 'scheduleActivity', seq: ++s.seq, name: 'act', input: s.seq, options }),
  (_, s) => [
    { kind: 'registerUndo', undo: { undoSeq: ++s.undoSeq, saga: 1 + (s.undoSeq % 2), activitySeq: s.seq + 1, name: 'undo', options } },
    { kind: 'scheduleActivity', seq: ++s.seq, name: 'act', input: s.seq, options },
  ],
  (d) => ({ kind: d.pick(['cancelActivity', 'cancelTimer', 'cancelWait', 'cancelChild']), seq: 1 + d.upTo(8) }),
  (d, s) => ({ kind: 'startTimer', seq: ++s.seq, durationMs: d.upTo(5000) }),
  (d, s) => ({ kind: 'openWait', seq: ++s.seq, wait: { type: 'scan', match: {} }, ...(d.upTo(2) && { timeoutMs: 500 }) }),
  (d, s) => ({ kind: 'startChild', seq: ++s.seq, workflowType: 'deliver', workflowId: d.pick(['w', 'c1', 'c2']), parentClosePolicy: d.pick(['terminate', 'cancel', 'abandon']) }),
  (d, s) => ({ kind: d.pick(['sendSignal', 'cancelRun']), seq: ++s.seq, workflowId: d.pick(['w', 'c1']), name: 'x' }),
  (d, s) => ({ kind: 'compensate', seq: ++s.seq, saga: 1 + d.upTo(2) }),
  (d) => ({ kind: 'upsertAttributes', attributes: { memo: { [d.pick(['a', '__proto__', 'constructor'])]: d.pick([1, null, 'x']) } } }),
  (d, s) => ({ kind: 'completeUpdate', updateId: s.updates[0] ?? 'none', outcome: d.pick(OUTCOMES) }),
  (d) => d.pick([{ kind: 'complete', result: 1 }, { kind: 'fail', error }, { kind: 'cancel', error }, { kind: 'continueAsNew', workflowType: 'deliver', carried: [] }]),
  (d) => d.pick([{ kind: 'nothing' }, { kind: 'startTimer', seq: 1, durationMs: 1 }]),
];

function toResult(dice: Dice, job: JobEvent, counts: { seq: number; undoSeq: number; updates: readonly string[] }): ActivationResult {
  const roll = dice.upTo(40);
  if (roll === 0) return { kind: 'voided', reason: 'memory', message: 'too much' };
  const isRefusable = job.kind === 'signalReceived' || job.kind === 'updateAccepted' || job.kind === 'started';
  if (roll < 5 && isRefusable) return { kind: 'ok', output: { commands: [], refused: { code: 'unknown-signal', message: 'unknown' } } };
  // Those that close a run, or that no code makes, come seldom.
  const commands = Array.from({ length: dice.upTo(4) }, () => makers[dice.upTo(40) === 0 ? 10 + dice.upTo(2) : dice.upTo(10)]!(dice, counts)).flat();
  return { kind: 'ok', output: { commands: commands as Command[] } };
}

function toAct(dice: Dice, state: RunState | undefined, isStart: boolean): Act {
  if (dice.upTo(30) === 0) return { kind: 'setAside', reason: { kind: 'nondeterminism', n: 1, diff: '' } };
  const counts = isStart || !state ? { seq: 0, undoSeq: 0, updates: [] } : { seq: state.lastSeq, undoSeq: state.lastUndoSeq, updates: state.updates };
  return (job) => toResult(dice, job, counts);
}

const seqOf = (dice: Dice, map: Readonly<Record<string, unknown>> = {}): number => {
  const keys = Object.keys(map);
  return keys.length > 0 && dice.upTo(6) > 0 ? Number(dice.pick(keys)) : dice.upTo(10);
};

const KINDS = ['signal', 'update', 'cancel', 'suspend', 'resume', 'resume', 'activityClosed', 'activityClosed', 'timerFired', 'timerFired', 'eventOffered', 'eventOffered', 'compensated', 'childStarted', 'childClosed', 'signalSettled'];

function toBody(dice: Dice, state: RunState | undefined): object {
  const roll = dice.upTo(30);
  if (roll === 0) return { kind: 'terminate', compensate: dice.upTo(2) === 0 };
  if (roll < 4 || !state) return { kind: 'start', workflowType: 'deliver', input: dice.upTo(2), ...(dice.upTo(3) === 0 && { runTimeoutMs: 2000 }) };
  const kind = dice.pick(KINDS);
  const timed = { ...state.timers, ...state.waits, 0: true };
  const event = { tenant: 't', source: 's', id: `e${dice.upTo(5)}`, type: 'scan', time: 1, keys: {} };
  switch (kind) {
    case 'activityClosed':
      return { kind, seq: seqOf(dice, state.activities), outcome: dice.pick(OUTCOMES), attempts: 1 };
    case 'timerFired':
      return { kind, seq: seqOf(dice, timed), dueMs: dice.upTo(9000) };
    case 'eventOffered':
      return { kind, seq: seqOf(dice, state.waits), offerId: 'o', event };
    case 'compensated':
      return { kind, seq: seqOf(dice, state.rollingBack ? { 0: true } : state.compensations), outcome: dice.pick(OUTCOMES) };
    case 'childStarted':
      return { kind, seq: seqOf(dice, state.children), childRunId: 'child' };
    case 'childClosed':
      return { kind, seq: seqOf(dice, state.children), outcome: dice.pick(OUTCOMES) };
    case 'signalSettled':
      return { kind, seq: seqOf(dice, state.signals), outcome: dice.pick(OUTCOMES) };
    case 'resume':
      return { kind, ...(dice.upTo(5) === 0 && { bundle: 'b2' }), ...(dice.upTo(12) === 0 && { fail: true }) };
    default:
      return { kind, name: 'x' };
  }
}

const ANSWERS: ReadonlySet<string> = new Set(['activityClosed', 'timerFired', 'eventOffered', 'compensated', 'childStarted', 'childClosed', 'signalSettled']);

/** `World` checks after each step that the fold is the live state, numbers have no gap, `accept` changes nothing and a replay asks for the same. */
function live(rolls: readonly (readonly number[])[]): void {
  const world = new World(limits);
  const outside = new Outside();
  for (const [i, numbers] of rolls.entries()) {
    const dice = new Dice(numbers);
    const state = world.newest.get('w')?.state;
    const body = toBody(dice, state) as { kind: string };
    const id = `i${i}`;
    const runId = ANSWERS.has(body.kind) ? { runId: state?.run.runId } : {};
    const input = { id, tenant: 't', workflowId: 'w', at: dice.upTo(10_000), ...runId, ...(body.kind === 'start' && { newRunId: `run-${id}` }), ...body } as Input;
    outside.sends(input);
    const steps = world.take(input, { act: toAct(dice, state, body.kind === 'start'), pin: PIN });
    for (const { decision, settled } of steps) outside.receives(settled ? settled.effects : 'effects' in decision ? decision.effects : []);
    if (ANSWERS.has(body.kind)) takesNothingTwice(world, input);
    for (const run of world.runs.values()) checkRun(outside, run.state);
  }
}

function takesNothingTwice(world: World, input: Input): void {
  const before = JSON.stringify([...world.runs]);
  const [step] = world.take(input, { act: () => ({ kind: 'voided', reason: 'trap', message: 'it must not run' }), pin: PIN });
  if (step?.decision.kind !== 'drop' || JSON.stringify([...world.runs]) !== before) throw new Error(`a repeated ${input.kind} is not dropped`);
}

function checkRun(outside: Outside, state: RunState): void {
  const differences = outside.differences(state);
  if (differences.length > 0) throw new Error(`${state.run.runId} (${state.status}): ${differences.join('; ')}`);
  if (isClosed(state.status) && (state.pending > 0 || state.undo.length + state.updates.length + state.deferred.length > 0)) throw new Error('a closed run holds something');
  if ((state.status === 'suspended') !== (state.suspended !== undefined)) throw new Error('suspended without a reason, or a reason without being suspended');
  if (state.deferred.length > 0 && state.status !== 'suspended') throw new Error('a running run has deferred jobs');
}

describe('engine, by whatever inputs and commands', () => {
  it('keeps what always holds', () => {
    fc.assert(fc.property(fc.array(dice, { minLength: 1, maxLength: 40 }), live), { numRuns: 1_000 });
  });
});
