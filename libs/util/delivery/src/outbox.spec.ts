import { describe, expect, it } from '@jest/globals';
import type { RunKey } from '@perdure/contract';
import { withoutGuard } from '@perdure/guards/testing';
import { DELIVERY_LIMITS } from './delivery-limits.js';
import { Outbox, type OutboxOptions } from './outbox.js';

const run: RunKey = { tenant: 't', workflowId: 'w', runId: 'r' };
const body = { to: 'scheduler', kind: 'dropRun', run } as const;
const to = 'scheduler/0';
const open = (options: Partial<OutboxOptions> = {}): Outbox => new Outbox({ source: 'history/0', rows: [], lastNumbers: {}, limits: DELIVERY_LIMITS, random: () => 1, ...options });
const numbers = (outbox: Outbox, nowMs: number): number[] => outbox.due(nowMs).flatMap(({ messages }) => messages.map(({ number }) => number));

describe('An outbox', () => {
  it('sends nothing before the commit, and then all with the smallest number that is not confirmed', () => {
    const outbox = open();
    outbox.put(to, body);
    outbox.put(to, body);
    outbox.put('scheduler/1', body);
    expect(outbox.due(0)).toEqual([]);
    expect(outbox.takeChanges().put.map(({ destination, number }) => [destination, number])).toEqual([[to, 1], [to, 2], ['scheduler/1', 1]]);
    outbox.committed();
    expect(outbox.due(0).map(({ destination, mark, messages }) => [destination, mark, messages.length])).toEqual([[to, 1, 2], ['scheduler/1', 1, 1]]);
  });

  it('gives the numbers of a batch that was taken back again', () => {
    const outbox = open({ lastNumbers: { [to]: 7 } });
    outbox.put(to, body);
    outbox.takeBack();
    outbox.put(to, body);
    expect(outbox.takeChanges().put.map(({ number }) => number)).toEqual([8]);
  });

  it('sends again, later and later, until it is confirmed', () => {
    const outbox = open({ rows: [{ destination: to, number: 3, body }, { destination: to, number: 2, body }] });
    expect(numbers(outbox, 0)).toEqual([2, 3]);
    expect(numbers(outbox, 999)).toEqual([]);
    outbox.confirm(to, [2]);
    expect(outbox.nextDueMs).toBe(1_000);
    expect(outbox.due(1_000)).toMatchObject([{ mark: 3, messages: [{ number: 3 }] }]);
    expect(outbox.nextDueMs).toBe(3_000);
    outbox.confirm(to, [3]);
    expect(outbox.nextDueMs).toBe(Infinity);
    expect(outbox.takeChanges().confirmed).toEqual([{ destination: to, number: 2 }, { destination: to, number: 3 }]);
  });

  it('says which envelopes were sent before, and mixes them with no others', () => {
    const outbox = open({ rows: [{ destination: to, number: 1, body }], lastNumbers: { [to]: 1 } });
    expect(outbox.due(0)).toMatchObject([{ messages: [{ number: 1 }] }]);
    outbox.put(to, body);
    outbox.committed();
    expect(outbox.due(1_000).map(({ isResend = false, mark, messages }) => [isResend, mark, messages.map(({ number }) => number)])).toEqual([[true, 1, [1]], [false, 1, [2]]]);
  });

  it('keeps what is confirmed while a batch is on its way for the next', () => {
    const outbox = open({ rows: [{ destination: to, number: 1, body }] });
    outbox.takeChanges();
    outbox.confirm(to, [1]);
    outbox.committed();
    expect(outbox.takeChanges().confirmed).toEqual([{ destination: to, number: 1 }]);
  });

  it('cuts what is too much for one envelope', () => {
    const rows = Array.from({ length: 5 }, (_, index) => ({ destination: to, number: index + 1, body }) as const);
    expect(open({ rows, limits: { ...DELIVERY_LIMITS, envelopeMessagesMax: 2 } }).due(0).map(({ messages }) => messages.length)).toEqual([2, 2, 1]);
  });

  it('sends once without its guard', () => {
    const outbox = open({ rows: [{ destination: to, number: 1, body }], guards: withoutGuard('outboxResend') });
    expect([numbers(outbox, 0), numbers(outbox, 1e12)]).toEqual([[1], []]);
  });
});
