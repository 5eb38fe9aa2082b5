import { describe, expect, it } from '@jest/globals';
import type { EventBody } from '@perdure/contract';
import type { LedgerLine } from '../book/ledger-record.js';
import { judge } from './judge.js';
import type { Evidence } from './evidence.js';
import { ACKNOWLEDGED, HISTORY, honestEvidence, LEDGER, PROGRAM, runOf } from './testing/honest-evidence.js';

const history = (change: (events: EventBody[]) => EventBody[]): Partial<Evidence> => ({ runs: new Map([['p1-0', [runOf(change([...HISTORY]))]]]) });
const indexOf = (kind: EventBody['kind'], nth = 0): number => HISTORY.flatMap((event, index) => (event.kind === kind ? [index] : []))[nth]!;
const without = (kind: EventBody['kind'], nth = 0): Partial<Evidence> => history((events) => events.filter((_, index) => index !== indexOf(kind, nth)));
const twice = (kind: EventBody['kind']): Partial<Evidence> => history((events) => events.flatMap((event, index) => (index === indexOf(kind) ? [event, event] : [event])));
const changed = <K extends EventBody['kind']>(kind: K, change: Partial<Extract<EventBody, { kind: K }>>): Partial<Evidence> => history((events) => events.map((event, index) => (index === indexOf(kind) ? { ...event, ...change } : event)) as EventBody[]);
const ledger = (change: (lines: LedgerLine[]) => LedgerLine[]): Partial<Evidence> => ({ ledger: change([...LEDGER]) });

/** Records as a faulty server would leave them, and what must be said of them. */
/** What is left of the program when an operator has ended it while activity 2 was under way. */
const ENDED_PROGRAM = { ...PROGRAM, lanes: [...PROGRAM.lanes, [{ send: 'terminate', id: 'p1-0:terminate', compensate: true, afterMs: 0 } as const]], steps: [...PROGRAM.steps, { do: 'forever' } as const] };
const ENDED_ACKNOWLEDGED: Evidence['acknowledgements'] = [{ kind: 'starting', program: 'p1-0' }, ...ACKNOWLEDGED, { kind: 'terminate', program: 'p1-0', id: 'p1-0:terminate' }, { kind: 'starting', program: 'p1-1' }];
const ENDED_HISTORY: readonly EventBody[] = [...HISTORY.slice(0, 6), { kind: 'terminated', reason: 'p1-0:terminate', compensate: true }, { kind: 'rolledBack', outcome: { status: 'completed' } }];
const UNDO: readonly LedgerLine[] = [{ kind: 'effect', execution: 'u2', key: 'demo/p1-0/r1/undo/1', effectId: 'p1-0#2/undo', undoes: { key: 'demo/p1-0/r1/2' }, applied: true }];
const endedRun = (history = ENDED_HISTORY) => runOf(history, { status: 'terminated' });
const ended = (changes: Partial<Evidence> = {}): Evidence =>
  honestEvidence({ programs: [ENDED_PROGRAM], runs: new Map([['p1-0', [endedRun()]]]), ledger: [...LEDGER.slice(0, 4), ...UNDO], acknowledgements: ENDED_ACKNOWLEDGED, shown: [], answered: [{ program: 'p1-0', end: { status: 'terminated' } }], ...changes });

/** The same of a run that was ended. */
const FAULTS_OF_ENDED: readonly [fault: string, evidence: Partial<Evidence>, said: RegExp][] = [
  ['an acknowledged end that is lost', { runs: new Map([['p1-0', [runOf(ENDED_HISTORY.slice(0, 6), { status: 'running' })]]]) }, /terminate p1-0:terminate was acknowledged and is lost/],
  ['an end that nobody asked for', { runs: new Map([['p1-0', [endedRun(ENDED_HISTORY.map((event) => (event.kind === 'terminated' ? { ...event, reason: 'whim' } : event)))]]]) }, /it was terminated, which nobody asked for: whim/],
  ['a run that was set aside', { runs: new Map([['p1-0', [endedRun([...ENDED_HISTORY.slice(0, 6), { kind: 'suspended', reason: { kind: 'refused', inputId: 'i', message: 'm' } }, ...ENDED_HISTORY.slice(6)])]]]) }, /it was suspended, which nobody asked for/],
  ['a wished undo that is missing', { ledger: LEDGER.slice(0, 4) }, /effect p1-0#2\/undo should have happened/],
  ['an end told otherwise', { answered: [{ program: 'p1-0', end: { status: 'cancelled' } }] }, /its client was told/],
  [
    'a hand-out after the acknowledged end',
    {
      runs: new Map([['p1-0', [endedRun()]], ['p1-1', [{ ...runOf(HISTORY.slice(0, 2)), workflowId: 'p1-1' }]]]),
      ledger: [...LEDGER.slice(0, 4), ...UNDO, { kind: 'attempt', execution: 'y', key: 'demo/p1-1/r1/1', effectId: 'p1-1#1', attempt: 1, handOut: [0, 1, 20] }, { kind: 'attempt', execution: 'x2.2', key: 'demo/p1-0/r1/2', effectId: 'p1-0#2', attempt: 2, handOut: [0, 1, 21] }],
    },
    /hand-out 0,1,21 came after hand-out 0,1,20, which was later than the run's acknowledged end/,
  ],
];

const FAULTS: readonly [fault: string, evidence: Partial<Evidence>, said: RegExp][] = [
  ['an activity result recorded twice', twice('activityClosed'), /1 is recorded twice/],
  ['an acknowledged signal that is lost', without('signalReceived'), /signal p1-0:signal-0 was acknowledged and is lost/],
  ['a signal recorded twice', twice('signalReceived'), /signal p1-0:signal-0 is there 2 times/],
  ['a signal that nobody sent', changed('signalReceived', { id: 'signal/other' }), /input signal\/other is there, which nobody sent/],
  ['a signal that was refused and is there', { acknowledgements: [ACKNOWLEDGED[0]!, { kind: 'signal', program: 'p1-0', id: 'p1-0:signal-0', refused: 'run-closed' }] }, /was refused \(run-closed\) and is there/],
  ['an acknowledged start that is lost', { runs: new Map() }, /its acknowledged start is lost/],
  ['a start answered with two runs', { acknowledgements: [...ACKNOWLEDGED, { kind: 'started', program: 'p1-0', runId: 'r2' }] }, /answered with two runs/],
  ['a second run of one start', { runs: new Map([['p1-0', [runOf(HISTORY), { ...runOf(HISTORY), runId: 'r2' }]]]) }, /it was started 2 times/],
  ['an acknowledged event that is forgotten', { forgotten: ['p1-0:event-4'] }, /event p1-0:event-4 was acknowledged and is lost/],
  ['an event taken twice', twice('eventReceived'), /event p1-0:event-4 was taken 2 times/],
  ['a stuck run', { runs: new Map([['p1-0', [runOf(HISTORY.slice(0, 4), { status: 'running' })]]]) }, /is running, last event/],
  ['a client that still waits', { leftovers: ['p1-0: its client still waits'] }, /its client still waits/],
  ['a run that nobody asked for', { runs: new Map([['p1-0', [runOf(HISTORY)]], ['ghost', [runOf(HISTORY)]]]) }, /nobody asked for such a run/],
  ['an effect applied twice, under two keys', ledger((lines) => [...lines, { ...(lines[4] as LedgerLine), key: 'demo/p1-0/r1/99', execution: 'x9' }]), /effect p1-0#2 was applied 2 times/],
  ['an effect applied twice, under one key', ledger((lines) => [...lines, { ...(lines[4] as LedgerLine), execution: 'x9' }]), /effect p1-0#2 was applied 2 times/],
  ['an effect that is missing', ledger((lines) => lines.filter((line) => line !== LEDGER[4])), /effect p1-0#2 should have happened/],
  ['an effect that nobody asked for', ledger((lines) => [...lines, { ...(lines[4] as LedgerLine), effectId: 'p1-0#77', key: 'k77' }]), /effect p1-0#77 should not have happened/],
  ['a missing undo', ledger((lines) => lines.filter(({ effectId }) => effectId !== 'p1-0#2/undo')), /effect p1-0#2\/undo should have happened/],
  ['undos in the wrong order', ledger((lines) => [...lines.slice(0, 7), ...lines.slice(9), ...lines.slice(7, 9)]), /undone in the order p1-0#2\/undo, p1-0#3\/undo/],
  ['an undo of something else', ledger((lines) => lines.map((line) => (line.kind === 'effect' && line.undoes ? { ...line, undoes: { ...line.undoes, key: 'k' } } : line))), /was told to undo k/],
  ['the result of an attempt that had been superseded', ledger(([first, second, ...more]) => [first!, second!, ...more, { kind: 'attempt', execution: 'x1.3', key: 'demo/p1-0/r1/1', effectId: 'p1-0#1', attempt: 3, handOut: [0, 1, 9] }, { kind: 'effect', execution: 'x1.2', key: 'demo/p1-0/r1/1', effectId: 'p1-0#1', applied: false }]), /was still at work when hand-out 0,1,9 had begun/],
  ['a result that no execution gave', changed('activityClosed', { outcome: { status: 'completed', value: { value: 'done p1-0#1', execution: 'forged' } } }), /an execution that the ledger does not know/],
  ['an activity handed out again after its end was recorded', ledger((lines) => [...lines, { kind: 'attempt', execution: 'x1.3', key: 'demo/p1-0/r1/1', effectId: 'p1-0#1', attempt: 3, handOut: [0, 2, 0] }]), /was handed out in epoch 2, although its end was recorded before/],
  ['one hand-out of two activities', ledger((lines) => lines.map((line) => (line.kind === 'attempt' ? { ...line, handOut: [0, 1, line.attempt] as const } : line))), /hand-out 0,1,1 is that of .* too/],
  ['an attempt number that goes back', ledger((lines) => lines.map((line) => (line === LEDGER[0] && line.kind === 'attempt' ? { ...line, attempt: 3 } : line))), /attempt 2 was handed out after a later one/],
  ['a gap in history', { runs: new Map([['p1-0', [{ ...runOf(HISTORY), events: runOf(HISTORY).events.filter(({ n }) => n !== 3) }]]]) }, /event 3 is numbered 4/],
  ['events after the end', twice('completed'), /ends 2 times/],
  ['a wrong result', changed('completed', { result: ['something else'] }), /ended as .*something else.*; the model says/],
  ['a wrong answer to the client', { answered: [{ program: 'p1-0', end: { status: 'cancelled' } }] }, /its client was told/],
  ['an end that the model does not allow', changed('activityClosed', { outcome: { status: 'failed', error: { type: 'Error', message: 'gone' } } }), /activity p1-0#1 \(flaky\) ended as failed: gone/],
  ['a query that showed what never was', { shown: [{ program: 'p1-0', log: ['never'] }] }, /a query showed \["never"\]/],
  ['a query that went back', { shown: [...honestEvidence().shown].reverse() }, /a query went back from 3 entries to 1/],
];

describe('the oracles', () => {
  it('say nothing of an honest server', () => {
    expect(judge(honestEvidence())).toEqual([]);
  });

  it.each(FAULTS)('see %s', (_fault, evidence, said) => {
    expect(judge(honestEvidence(evidence)).map(({ what }) => what)).toEqual(expect.arrayContaining([expect.stringMatching(said)]));
  });

  it('say nothing of an honest server that was told to end a run', () => {
    expect(judge(ended())).toEqual([]);
  });

  it.each(FAULTS_OF_ENDED)('see %s', (_fault, evidence, said) => {
    expect(judge(ended(evidence)).map(({ what }) => what)).toEqual(expect.arrayContaining([expect.stringMatching(said)]));
  });

  it('leave open what became of an input that was never acknowledged', () => {
    const program = { ...PROGRAM, steps: [PROGRAM.steps[0]!], lanes: PROGRAM.lanes };
    const events = [...HISTORY.slice(0, 2), HISTORY[3]!, { kind: 'completed', result: ['done p1-0#1'] } as const];
    const evidence = honestEvidence({ programs: [program], runs: new Map([['p1-0', [runOf(events)]]]), ledger: LEDGER.slice(0, 3), acknowledgements: ACKNOWLEDGED.slice(0, 1), shown: [], answered: [] });
    expect(judge(evidence)).toEqual([]);
  });
});
