import type { EventBody, HistoryEvent, RunView } from '@perdure/contract';
import type { LedgerLine } from '../../book/ledger-record.js';
import { effectIdOf, undoIdOf, valueOf, type Program } from '../../program/program.js';
import type { Acknowledgement, Evidence, Run } from '../evidence.js';

const NAME = 'p1-0';
const PIN = { bundle: 'b', abi: 1, sandbox: 's' };
const OPTIONS = { queue: 'default', startToCloseTimeoutMs: 20_000, retry: { maxAttempts: 0, initialIntervalMs: 20, backoffCoefficient: 2, maxIntervalMs: 200 } };
const keyOf = (seq: number | string): string => `demo/${NAME}/r1/${seq}`;

/** A program of every sort of step that an oracle looks at, and what an honest server leaves of it. */
export const PROGRAM: Program = {
  name: NAME,
  steps: [
    { do: 'activity', n: 1, behaviour: { kind: 'flaky', times: 1, applied: false } },
    { do: 'signal', signal: 'signal-0' },
    { do: 'saga', parts: [{ do: 'activity', n: 2, behaviour: { kind: 'ok' } }, { do: 'activity', n: 3, behaviour: { kind: 'ok' } }], undoAnyway: true },
    { do: 'event', n: 4 },
  ],
  lanes: [[{ send: 'signal', signal: 'signal-0', id: 'p1-0:signal-0', value: 'hello', afterMs: 0 }], [{ send: 'event', key: 'p1-0#4', id: 'p1-0:event-4', value: 'event p1-0#4', afterMs: 0, early: false }]],
  onCancel: 'return',
};

const LOG = [valueOf('p1-0#1'), 'hello', { undone: [valueOf('p1-0#2'), valueOf('p1-0#3')] }, 'event p1-0#4'];

const scheduled = (seq: number, n: number): EventBody => ({ kind: 'activityScheduled', seq, name: 'perform', input: { effectId: effectIdOf(NAME, n), behaviour: { kind: 'ok' } }, options: OPTIONS });
const closed = (seq: number, n: number, attempts: number): EventBody => ({ kind: 'activityClosed', seq, attempts, outcome: { status: 'completed', value: { value: valueOf(effectIdOf(NAME, n)), execution: `x${n}.${attempts}` } } });
const undo = (undoSeq: number, seq: number): EventBody => ({ kind: 'undoRegistered', undo: { undoSeq, saga: 1, activitySeq: seq, name: 'undo', options: OPTIONS } });

export const HISTORY: readonly EventBody[] = [
  { kind: 'started', run: { tenant: 'demo', workflowId: NAME, runId: 'r1' }, workflowType: 'interpret', pin: PIN, chain: 'r1' },
  scheduled(1, 1),
  { kind: 'signalReceived', id: 'signal/p1-0:signal-0', name: 'signal-0', input: 'hello' },
  closed(1, 1, 2),
  undo(1, 2),
  scheduled(2, 2),
  closed(2, 2, 1),
  undo(2, 3),
  scheduled(3, 3),
  closed(3, 3, 1),
  { kind: 'compensationRequested', seq: 4, saga: 1 },
  { kind: 'compensated', seq: 4, outcome: { status: 'completed' } },
  { kind: 'waitOpened', seq: 5, wait: { type: 'ledger.happened', match: { key: 'p1-0#4' } } },
  { kind: 'eventReceived', seq: 5, event: { tenant: 'demo', source: '/ledger', id: 'p1-0:event-4', type: 'ledger.happened', time: 1, keys: { key: 'p1-0#4' }, data: { key: 'p1-0#4', value: 'event p1-0#4' } } },
  { kind: 'completed', result: LOG },
];

const attempt = (n: number, number: number, nth: number): LedgerLine => ({ kind: 'attempt', execution: `x${n}.${number}`, key: keyOf(n), effectId: effectIdOf(NAME, n), attempt: number, handOut: [0, 1, nth] });
const effect = (n: number, number: number): LedgerLine => ({ kind: 'effect', execution: `x${n}.${number}`, key: keyOf(n), effectId: effectIdOf(NAME, n), applied: true });
const undone = (n: number, nth: number): LedgerLine[] => [
  { kind: 'attempt', execution: `u${n}`, key: keyOf(`undo/${n - 1}`), effectId: undoIdOf(NAME, n), attempt: 1, handOut: [0, 1, nth] },
  { kind: 'effect', execution: `u${n}`, key: keyOf(`undo/${n - 1}`), effectId: undoIdOf(NAME, n), undoes: { key: keyOf(n), value: valueOf(effectIdOf(NAME, n)) }, applied: true },
];

export const LEDGER: readonly LedgerLine[] = [attempt(1, 1, 0), attempt(1, 2, 1), effect(1, 2), attempt(2, 1, 2), effect(2, 1), attempt(3, 1, 3), effect(3, 1), ...undone(3, 4), ...undone(2, 5)];

export const ACKNOWLEDGED: readonly Acknowledgement[] = [
  { kind: 'started', program: NAME, runId: 'r1' },
  { kind: 'signal', program: NAME, id: 'p1-0:signal-0' },
  { kind: 'event', program: NAME, id: 'p1-0:event-4', status: 'accepted' },
];

export const runOf = (bodies: readonly EventBody[], changes: Partial<RunView> = {}): Run => {
  const events = bodies.map((body, index): HistoryEvent => ({ ...body, n: index + 1, at: index, bundle: 'b' }));
  const view: RunView = { tenant: 'demo', workflowId: NAME, runId: 'r1', workflowType: 'interpret', status: 'completed', bundle: 'b', startedAt: 0, closedAt: 99, events: events.length, ...changes };
  return { tenant: 'demo', workflowId: NAME, runId: 'r1', events, view };
};

export const honestEvidence = (changes: Partial<Evidence> = {}): Evidence => ({
  programs: [PROGRAM],
  runs: new Map([[NAME, [runOf(HISTORY)]]]),
  ledger: LEDGER,
  acknowledgements: ACKNOWLEDGED,
  shown: [
    { program: NAME, log: LOG.slice(0, 1) },
    { program: NAME, log: LOG.slice(0, 3) },
  ],
  answered: [{ program: NAME, end: { status: 'completed', log: LOG } }],
  dropsAtOnce: true,
  forgotten: [],
  leftovers: [],
  ...changes,
});
