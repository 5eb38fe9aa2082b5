import { describe, expect, it } from '@jest/globals';
import type { Command, EventBody, Transition } from '@perdure/contract';
import { checkStep, compareReplay, jobsAt, replayPlan } from './replay.js';
import type { ReplayStep } from './replay.js';
import { PIN } from './trace/world.js';

const timer = (seq: number, durationMs = 5): Command => ({ kind: 'startTimer', seq, durationMs });
const started = (seq: number, durationMs = 5): EventBody => ({ kind: 'timerStarted', seq, durationMs });
const error = { type: 'Error', message: 'no' };

describe('compareReplay', () => {
  it('finds nothing where code and history agree, whatever the order of keys', () => {
    const then: EventBody = { kind: 'signalSent', seq: 1, workflowId: 'v', name: 'x', input: { a: 1, b: [2, { c: null }] } };
    const now: Command = { input: { b: [2, { c: null }], a: 1 }, name: 'x', workflowId: 'v', seq: 1, kind: 'sendSignal' };
    expect(compareReplay([then], [now])).toBeUndefined();
  });

  it('tells another argument, with what they have in common before it', () => {
    expect(compareReplay([started(1), started(2), started(3)], [timer(1), timer(2), timer(3, 6)], 7)).toEqual({
      n: 9,
      diff: [
        '    7  timerStarted {"seq":1,"durationMs":5}',
        '    8  timerStarted {"seq":2,"durationMs":5}',
        '  - 9  timerStarted {"seq":3,"durationMs":5}',
        '  + 9  timerStarted {"seq":3,"durationMs":6}',
      ].join('\n'),
    });
  });

  it.each<[string, EventBody[], Command[], string]>([
    ['another kind', [started(1)], [{ kind: 'cancelTimer', seq: 1 }], '  + 2  timerCancelled {"seq":1}'],
    ['something more in the code', [started(1)], [timer(1), timer(2)], '  - 3  nothing more (history)'],
    ['something more in history', [started(1), started(2)], [timer(1)], '  + 3  nothing more (code)'],
    ['a key that is missing', [{ kind: 'completed', result: { a: 1 } }], [{ kind: 'complete', result: {} }], '  + 2  completed {"result":{}}'],
    ['a key that is new', [{ kind: 'completed', result: {} }], [{ kind: 'complete', result: { a: 1 } }], '  + 2  completed {"result":{"a":1}}'],
    ['a list for an object', [{ kind: 'completed', result: {} }], [{ kind: 'complete', result: [] }], '  + 2  completed {"result":[]}'],
    ['another error', [{ kind: 'failed', error }], [{ kind: 'fail', error: { ...error, code: 'x' } }], '  + 2  failed {"error":{"type":"Error","message":"no","code":"x"}}'],
  ])('tells %s', (_, recorded, commands, line) => {
    expect(compareReplay(recorded, commands, 2)?.diff.split('\n')).toContain(line);
  });

  it('leaves out what is not the code’s own: stacks and the next run’s id', () => {
    const then: EventBody = { kind: 'failed', error: { ...error, stack: 'at a.ts', cause: { ...error, stack: 'at b.ts' } } };
    expect(compareReplay([then], [{ kind: 'fail', error: { ...error, stack: 'at x.js', cause: error } }])).toBeUndefined();
    const update: EventBody = { kind: 'updateCompleted', updateId: 'u', outcome: { status: 'failed', error: { ...error, stack: 'at a.ts' } } };
    expect(compareReplay([update], [{ kind: 'completeUpdate', updateId: 'u', outcome: { status: 'failed', error } }])).toBeUndefined();
    const next: EventBody = { kind: 'continuedAsNew', workflowType: 'w', carried: [], nextRunId: 'r2' };
    expect(compareReplay([next], [{ kind: 'continueAsNew', workflowType: 'w', carried: [] }])).toBeUndefined();
  });

  it('drops what was asked for after the run had closed', () => {
    expect(compareReplay([{ kind: 'completed' }], [{ kind: 'complete' }, timer(1)])).toBeUndefined();
  });

  it('cuts long arguments short in what it tells', () => {
    const [text, other] = ['x'.repeat(10_000), 'y'.repeat(10_000)];
    const { diff } = compareReplay([{ kind: 'completed', result: text }], [{ kind: 'complete', result: other }])!;
    expect(diff.length).toBeLessThan(1_000);
  });
});

describe('checkStep', () => {
  const step: ReplayStep = { jobs: [{ n: 2, at: 0, refusable: false, job: { kind: 'timerFired', seq: 9 } }], recorded: [started(1)], first: 3, cut: false };

  it('compares all that was recorded of a run that the host ended, and no more', () => {
    expect(checkStep(step, [{ commands: [timer(1), timer(2)] }])?.n).toBe(4);
    expect(checkStep({ ...step, cut: true }, [{ commands: [timer(1), timer(2)] }])).toBeUndefined();
    expect(checkStep({ ...step, cut: true }, [{ commands: [timer(2)] }])?.n).toBe(3);
  });
});

describe('replayPlan', () => {
  const header = { bundle: 'b1', inputId: 'i' };
  const run = { tenant: 't', workflowId: 'w', runId: 'r' };
  const transitions: Transition[] = [
    { ...header, first: 1, at: 10, events: [{ kind: 'started', run, workflowType: 'w', pin: PIN, chain: 'r' }, started(1)] },
    { ...header, first: 3, at: 20, events: [{ kind: 'suspended', reason: { kind: 'operator' } }] },
    { ...header, first: 4, at: 30, events: [{ kind: 'signalReceived', id: 'a', name: 'x' }] },
    { ...header, first: 5, at: 40, events: [{ kind: 'resumed' }, started(2)] },
    { ...header, first: 7, at: 50, events: [{ kind: 'timerFired', seq: 1 }, { kind: 'runFailed', error }] },
  ];
  const brief = ({ jobs, recorded, cut }: ReplayStep): unknown => [jobs.map(({ n, at, refusable }) => [n, at, refusable]), recorded.length, cut];

  it('has each activation where it happened', () => {
    expect([...replayPlan(transitions)].map(brief)).toEqual([
      [[[1, 10, false]], 1, false],
      [[[4, 40, true]], 1, false],
      [[[7, 50, false]], 0, true],
    ]);
  });

  it('goes on after an event, with what was deferred before it', () => {
    expect([...replayPlan(transitions, 4)].map(brief)).toEqual([[[[4, 40, true]], 1, false], [[[7, 50, false]], 0, true]]);
    expect([...replayPlan(transitions, 8)]).toEqual([]);
  });

  it('finds jobs by number', () => {
    expect(jobsAt(transitions, [4, 7]).map(({ kind }) => kind)).toEqual(['signalReceived', 'timerFired']);
  });
});
