import { describe, expect, it } from '@jest/globals';
import { isCommand } from './command-shape.js';

const retry = { maxAttempts: 2, initialIntervalMs: 1_000, backoffCoefficient: 2, maxIntervalMs: 100_000 };
const options = { queue: 'default', startToCloseTimeoutMs: 60_000, retry };
const schedule = { kind: 'scheduleActivity', seq: 1, name: 'charge', input: { a: [1] }, options };

describe('isCommand', () => {
  it.each<object>([
    schedule,
    { kind: 'openWait', seq: 2, wait: { type: 'scan', match: { tracking: 'T', n: 1, x: true }, filter: 'a', sinceMs: 5 }, timeoutMs: 9 },
    { kind: 'startChild', seq: 3, workflowType: 'w', workflowId: 'c', parentClosePolicy: 'cancel', attributes: { memo: { a: 1 }, searchAttributes: { tags: ['a'], n: 1 } } },
    { kind: 'upsertAttributes', attributes: { memo: { gone: null }, searchAttributes: { gone: null } } },
    { kind: 'registerUndo', undo: { undoSeq: 1, saga: 1, activitySeq: 4, name: 'release', options } },
    { kind: 'completeUpdate', updateId: 'u', outcome: { status: 'failed', error: { type: 'E', message: 'm', cause: { type: 'F', message: '' } } } },
    { kind: 'continueAsNew', workflowType: 'w', carried: [{ id: 'i', name: 'go', input: null }] },
    { kind: 'complete' },
  ])('takes %j', (command) => expect(isCommand(command)).toBe(true));

  it.each<unknown>([
    null, 7, [], {}, { kind: 'none' }, { kind: '__proto__' },
    { ...schedule, seq: 0 }, { ...schedule, seq: '1' }, { ...schedule, name: 7 }, { ...schedule, name: 'x'.repeat(300) }, { ...schedule, options: null }, { ...schedule, options: {} },
    { ...schedule, options: { ...options, startToCloseTimeoutMs: -1 } }, { ...schedule, options: { ...options, retry: { ...retry, maxAttempts: 1.5 } } }, { ...schedule, options: { ...options, scheduleToCloseTimeoutMs: 1e300 } },
    // What the engine alone writes into a task.
    { ...schedule, run: { tenant: 'other', workflowId: 'w', runId: 'r' } }, { ...schedule, role: 'undo' }, { ...schedule, to: 'history' },
    { kind: 'startTimer', seq: 1, durationMs: Number.NaN }, { kind: 'openWait', seq: 1, wait: { type: 'scan', match: { a: {} } } }, { kind: 'cancelRun', seq: 1, workflowId: '' },
    ...['a\u0000b', 'a\nb', '\ud800', 'ü'.repeat(257)].flatMap((workflowId) => [
      { kind: 'startChild', seq: 3, workflowType: 'w', workflowId, parentClosePolicy: 'cancel' }, { kind: 'sendSignal', seq: 1, workflowId, name: 'go' }, { kind: 'cancelRun', seq: 1, workflowId },
    ]),
    { kind: 'fail', error: { message: 'm' } }, { kind: 'fail', error: null }, { kind: 'completeUpdate', updateId: 'u', outcome: { status: 'timedOut' } }, { kind: 'continueAsNew', workflowType: 'w', carried: [null] },
  ])('refuses %j', (command) => expect(isCommand(command)).toBe(false));
});
