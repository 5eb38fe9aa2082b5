import { describe, expect, it } from '@jest/globals';
import type { Outcome } from '@perdure/contract';
import { FOREVER_MS, type Behaviour, type Program, type Step } from '../program/program.js';
import { expectedOf } from './model.js';
import type { Observed, ObservedWait } from './observed.js';

const program = (steps: readonly Step[], more: Partial<Program> = {}): Program => ({ name: 'p', steps, lanes: [], onCancel: 'return', ...more });
const activity = (n: number, behaviour: Behaviour = { kind: 'ok' }): Extract<Step, { do: 'activity' }> => ({ do: 'activity', n, behaviour });

const COMPLETED: Outcome = { status: 'completed', value: null };
const FAILED: Outcome = { status: 'failed', error: { type: 'Error', message: 'planned' } };
const TERMINAL: Outcome = { status: 'failed', error: { type: 'TerminalError', message: 'planned' } };
const CANCELLED: Outcome = { status: 'cancelled', error: { type: 'Cancelled', message: 'stopped' } };
const LOST: Outcome = { status: 'timedOut', timeout: 'heartbeat', error: { type: 'TimedOut', message: 'lost' } };

interface Seen {
  /** By number: when and how it closed; no outcome: it was asked for and never closed. */
  readonly activities?: Readonly<Record<number, readonly [at: number, outcome?: Outcome]>>;
  readonly timers?: Readonly<Record<number, number | undefined>>;
  readonly events?: Readonly<Record<number, readonly ObservedWait[]>>;
  readonly signals?: Readonly<Record<string, number>>;
  readonly cancelRequestedAt?: number;
  readonly undoing?: readonly Omit<Observed['undoing'][number], 'ids'>[];
  readonly suspended?: Observed['suspended'];
  readonly terminated?: Observed['terminated'];
}
const seen = ({ activities = {}, timers = {}, events = {}, signals = {}, undoing = [], suspended = [], terminated, cancelRequestedAt }: Seen): ReadonlyMap<string, Observed> =>
  new Map([
    [
      'p',
      {
        activities: new Map(Object.entries(activities).map(([n, [at, outcome]]) => [`p#${n}`, { key: n, ...(outcome && { closed: { at, outcome } }) }])),
        timers: new Map(Object.entries(timers).map(([ms, firedAt]) => [Number(ms), { started: 0, ...(firedAt !== undefined && { firedAt }) }])),
        events: new Map(Object.entries(events).map(([n, each]) => [`p#${n}`, each])),
        signals: new Map(Object.entries(signals)),
        undoing: undoing.map((each) => ({ ...each, ids: [...Object.keys(activities)].map((n) => `p#${n}/undo`) })),
        suspended,
        ...(terminated && { terminated }),
        ...(cancelRequestedAt !== undefined && { cancelRequestedAt }),
      },
    ],
  ]);

const logOf = (of: Program, what: Seen): unknown => {
  const { end, complaints } = expectedOf(of, seen(what));
  expect(complaints).toEqual([]);
  return end.status === 'completed' ? end.log : end;
};
const effectsOf = (of: Program, what: Seen): unknown => Object.fromEntries(expectedOf(of, seen(what)).effects);

describe('the model', () => {
  it('knows what each behaviour comes to, and which ends are allowed', () => {
    expect(logOf(program([activity(1)]), { activities: { 1: [2, COMPLETED] } })).toEqual(['done p#1']);
    expect(logOf(program([activity(1, { kind: 'exhausted', attempts: 2 })]), { activities: { 1: [2, FAILED] } })).toEqual([{ failed: 'failed' }]);
    expect(logOf(program([activity(1, { kind: 'exhausted', attempts: 2 })]), { activities: { 1: [2, LOST] } })).toEqual([{ failed: 'heartbeat' }]);
    expect(logOf(program([activity(1, { kind: 'terminal', applied: true })]), { activities: { 1: [2, TERMINAL] } })).toEqual([{ failed: 'failed' }]);
  });

  it.each([
    ['ok', { kind: 'ok' }, LOST],
    ['flaky', { kind: 'flaky', times: 2, applied: true }, FAILED],
    ['exhausted', { kind: 'exhausted', attempts: 2 }, COMPLETED],
    ['terminal', { kind: 'terminal', applied: false }, FAILED],
    ['overdue', { kind: 'overdue' }, FAILED],
    ['slow', { kind: 'slow', times: 1 }, LOST],
    ['ok that was cancelled by nobody', { kind: 'ok' }, CANCELLED],
  ] as const)('complains of an end that is not allowed: %s', (_name, behaviour, outcome) => {
    expect(expectedOf(program([activity(1, behaviour)]), seen({ activities: { 1: [2, outcome] } })).complaints).toHaveLength(1);
  });

  it('asks for the effects that must be, and allows those that may', () => {
    expect(effectsOf(program([activity(1)]), { activities: { 1: [2, COMPLETED] } })).toEqual({ 'p#1': 'must' });
    expect(effectsOf(program([activity(1, { kind: 'terminal', applied: true })]), { activities: { 1: [2, TERMINAL] } })).toEqual({ 'p#1': 'must' });
    expect(effectsOf(program([activity(1, { kind: 'terminal', applied: false })]), { activities: { 1: [2, TERMINAL] } })).toEqual({});
    expect(effectsOf(program([activity(1, { kind: 'exhausted', attempts: 1 })]), { activities: { 1: [2, FAILED] } })).toEqual({});
    expect(effectsOf(program([activity(1, { kind: 'overdue' })]), { activities: { 1: [2, LOST] } })).toEqual({ 'p#1': 'may' });
  });

  it('takes the side of a race that history took first', () => {
    const wait: Step = { do: 'signal', signal: 'signal-0', timeoutMs: 100 };
    const waiting = program([wait], { lanes: [[{ send: 'signal', signal: 'signal-0', id: 's', value: 'hello', afterMs: 0 }]] });
    expect(logOf(waiting, { signals: { 'signal-0': 3 }, timers: { 100: undefined } })).toEqual(['hello']);
    expect(logOf(waiting, { signals: { 'signal-0': 3 }, timers: { 100: 2 } })).toEqual(['timed out']);
    expect(expectedOf(waiting, seen({ signals: { 'signal-0': 3 }, timers: { 100: 4 } })).complaints).toHaveLength(1);
    const race: Step = { do: 'together', mode: 'race', losers: 'left', branches: [activity(1), { do: 'sleep', ms: 5 }] };
    expect(logOf(program([race]), { activities: { 1: [4, COMPLETED] }, timers: { 5: 3 } })).toEqual([{ won: 1, value: 'slept' }]);
    expect(logOf(program([race]), { activities: { 1: [4, COMPLETED] }, timers: { 5: 6 } })).toEqual([{ won: 0, value: 'done p#1' }]);
    expect(effectsOf(program([race]), { activities: { 1: [0] }, timers: { 5: 3 } })).toEqual({ 'p#1': 'may' });
  });

  it('waits once more where a step insists', () => {
    const insisting = program([{ do: 'event', n: 1, timeoutMs: 5, insists: true }]);
    expect(logOf(insisting, { events: { 1: [{ receivedAt: 2 }] } })).toEqual(['event p#1']);
    expect(logOf(insisting, { events: { 1: [{ timedOutAt: 2 }, { receivedAt: 3 }] } })).toEqual([{ late: 'event p#1' }]);
    expect(expectedOf(insisting, seen({ events: { 1: [{ timedOutAt: 2 }, {}] } })).complaints).toHaveLength(1);
    expect(logOf(program([{ do: 'event', n: 1, timeoutMs: 5 }]), { events: { 1: [{ timedOutAt: 2 }] } })).toEqual(['timed out']);
  });

  it('undoes what completed or ended in the dark, the last first', () => {
    const saga: Step = { do: 'saga', parts: [activity(1), activity(2, { kind: 'overdue' })], undoAnyway: false };
    const { end, effects, undone } = expectedOf(program([saga]), seen({ activities: { 1: [2, COMPLETED], 2: [3, LOST] } }));
    expect(end).toEqual({ status: 'completed', log: [{ undone: ['done p#1', { failed: 'heartbeat' }] }] });
    expect(undone).toEqual([['p#2/undo', 'p#1/undo']]);
    expect(Object.fromEntries(effects)).toEqual({ 'p#1': 'must', 'p#2': 'may', 'p#1/undo': 'must', 'p#2/undo': 'must' });
    const failing: Step = { do: 'saga', parts: [activity(1), activity(2, { kind: 'exhausted', attempts: 1 })], undoAnyway: false };
    expect(expectedOf(program([failing]), seen({ activities: { 1: [2, COMPLETED], 2: [3, FAILED] } })).undone).toEqual([['p#1/undo']]);
  });

  it('ends a run that is ended where history left it, and allows what had been handed out', () => {
    const steps: Step[] = [activity(1), { do: 'together', mode: 'all', losers: 'awaited', branches: [{ do: 'sleep', ms: 5 }, activity(2)] }, activity(3), { do: 'forever' }];
    const ended = { terminated: { undoes: [] } } as const;
    expect(logOf(program(steps), { ...ended, activities: { 1: [2, COMPLETED], 2: [0] }, timers: { 5: undefined } })).toEqual({ status: 'terminated' });
    expect(effectsOf(program(steps), { ...ended, activities: { 1: [2, COMPLETED], 2: [0] }, timers: { 5: undefined } })).toEqual({ 'p#1': 'must', 'p#2': 'may' });
    expect(expectedOf(program(steps), seen({ activities: { 1: [2, COMPLETED], 2: [0] }, timers: { 5: undefined } })).complaints).toHaveLength(2);
    expect(logOf(program(steps, { onCancel: 'end-cancelled' }), { ...ended, activities: { 1: [2, COMPLETED], 2: [3, COMPLETED], 3: [5, COMPLETED] }, timers: { 5: 4 } })).toEqual({ status: 'terminated' });
    const race: Step = { do: 'together', mode: 'race', losers: 'left', branches: [activity(1), { do: 'sleep', ms: 5 }] };
    expect(effectsOf(program([race]), { ...ended, activities: { 1: [0] }, timers: { 5: undefined } })).toEqual({ 'p#1': 'may' });
  });

  it('knows that the child of an ended run may never have been asked for', () => {
    const parent = program([{ do: 'sleep', ms: 5 }, { do: 'child', n: 1, steps: [activity(1)] }]);
    expect(logOf(parent, { timers: { 5: 3 }, suspended: [{ from: 2 }], terminated: { undoes: [] } })).toEqual({ status: 'terminated' });
  });

  it('undoes what an ended run had registered if its operator wished it, and what its code had asked for in any case', () => {
    const saga: Step = { do: 'saga', parts: [activity(1), activity(2)], undoAnyway: true };
    const half = { activities: { 1: [2, COMPLETED], 2: [0] } } as const;
    expect(effectsOf(program([saga]), { ...half, terminated: { undoes: [] } })).toEqual({ 'p#1': 'must', 'p#2': 'may' });
    const wished = expectedOf(program([saga]), seen({ ...half, terminated: { undoes: ['p#2/undo', 'p#1/undo'] } }));
    expect([Object.fromEntries(wished.effects), wished.undone]).toEqual([{ 'p#1': 'must', 'p#2': 'may', 'p#1/undo': 'must', 'p#2/undo': 'must' }, [['p#2/undo', 'p#1/undo']]]);
    const done = { activities: { 1: [2, COMPLETED], 2: [3, COMPLETED] }, terminated: { undoes: [] } } as const;
    expect(Object.keys(effectsOf(program([saga]), { ...done, undoing: [{ from: 4 }] }) as object)).toEqual(['p#1', 'p#2', 'p#1/undo', 'p#2/undo']);
    expect(Object.keys(effectsOf(program([saga]), done) as object)).toEqual(['p#1', 'p#2']);
  });

  it('lets a timer fire behind a signal while the run is held', () => {
    const waiting = program([{ do: 'signal', signal: 'signal-0', timeoutMs: 100 }], { lanes: [[{ send: 'signal', signal: 'signal-0', id: 's', value: 'hello', afterMs: 0 }]] });
    expect(logOf(waiting, { signals: { 'signal-0': 3 }, timers: { 100: 4 }, suspended: [{ from: 2, to: 5 }] })).toEqual(['hello']);
    expect(expectedOf(waiting, seen({ signals: { 'signal-0': 3 }, timers: { 100: 6 }, suspended: [{ from: 2, to: 5 }] })).complaints).toHaveLength(1);
  });

  it('follows a request to stop to where it was taken notice of', () => {
    const steps: Step[] = [activity(1), { do: 'sleep', ms: 5 }, { do: 'forever' }];
    const asked = { cancelRequestedAt: 3 };
    expect(logOf(program(steps), { ...asked, activities: { 1: [2, COMPLETED] }, timers: { 5: undefined } })).toEqual(['done p#1', 'cancelled']);
    expect(logOf(program(steps), { ...asked, activities: { 1: [4, CANCELLED] } })).toEqual(['cancelled']);
    expect(logOf(program(steps), { ...asked, activities: { 1: [4, COMPLETED] }, timers: { 5: 6 } })).toEqual(['done p#1', 'slept', 'asked to stop']);
    expect(logOf(program(steps), { ...asked, activities: { 1: [1, COMPLETED] }, timers: { 5: 2, [FOREVER_MS]: undefined } })).toEqual(['done p#1', 'slept', 'cancelled']);
    const undoing: Step[] = [{ do: 'saga', parts: [activity(1)], undoAnyway: true }, { do: 'signal', signal: 'signal-0' }, { do: 'forever' }];
    const sent = program(undoing, { lanes: [[{ send: 'signal', signal: 'signal-0', id: 's', value: 'hello', afterMs: 0 }]] });
    const undone = { ...asked, activities: { 1: [1, COMPLETED] }, undoing: [{ from: 2, to: 6 }] } as const;
    expect(logOf(sent, { ...undone, signals: { 'signal-0': 5 } })).toEqual([{ undone: ['done p#1'] }, 'hello', 'asked to stop']);
    expect(logOf(sent, { ...undone, signals: { 'signal-0': 7 } })).toEqual([{ undone: ['done p#1'] }, 'cancelled']);
    expect(logOf(program(steps, { onCancel: 'end-cancelled' }), { ...asked, activities: { 1: [4, CANCELLED] } })).toEqual({ status: 'cancelled' });
    expect(expectedOf(program(steps), seen({ activities: { 1: [2, COMPLETED] } })).complaints).toEqual(['p: the sleep of 5 ms has no end in history, and nobody asked the run to stop']);
  });
});
