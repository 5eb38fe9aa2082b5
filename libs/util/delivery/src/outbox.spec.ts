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

  it('asks for the other way every second time, and mixes the two in no envelope', () => {
    const outbox = open({ rows: [{ destination: to, number: 1, body }], lastNumbers: { [to]: 1 } });
    expect(outbox.due(0)).toMatchObject([{ messages: [{ number: 1 }] }]);
    outbox.put(to, body);
    outbox.committed();
    expect(outbox.due(1_000).map(({ isDetour = false, mark, messages }) => [isDetour, mark, messages.map(({ number }) => number)])).toEqual([[true, 1, [1]], [false, 1, [2]]]);
    expect(outbox.due(60_000).map(({ isDetour = false, messages }) => [isDetour, messages.map(({ number }) => number)])).toEqual([[true, [2]], [false, [1]]]);
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

  describe('to an ordered destination', () => {
    const log = 'history/0';
    const input = { to: 'history', input: { id: 'i', tenant: 't', workflowId: 'w', at: 0, kind: 'signalSettled', seq: 1, outcome: { status: 'completed' } } } as const;
    const ordered = (options: Partial<OutboxOptions> = {}): Outbox => open({ isOrdered: (destination) => destination === log, ...options });
    const put = (outbox: Outbox, times = 1): void => {
      for (let time = 0; time < times; time++) outbox.put(log, input);
      outbox.committed();
    };

    it('has one envelope on its way at a time', () => {
      const outbox = ordered();
      put(outbox, 2);
      expect(numbers(outbox, 0)).toEqual([1, 2]);
      put(outbox);
      expect(outbox.nextDueMs).toBe(Infinity);
      expect(numbers(outbox, 1_000_000)).toEqual([]);
      outbox.confirm(log, [1, 2]);
      expect(numbers(outbox, 1_000_000)).toEqual([3]);
    });

    it('sends what failed again before anything behind it, later and later', () => {
      const outbox = ordered();
      put(outbox);
      const [envelope] = outbox.due(0);
      put(outbox);
      outbox.failed(envelope!, 0);
      expect(numbers(outbox, 999)).toEqual([]);
      expect(outbox.nextDueMs).toBe(1_000);
      const [again] = outbox.due(1_000);
      expect(again).toMatchObject({ mark: 1, messages: [{ number: 1 }, { number: 2 }] });
      outbox.failed(again!, 1_000);
      expect(outbox.nextDueMs).toBe(3_000);
    });

    it('keeps no other destination waiting', () => {
      const outbox = ordered();
      put(outbox);
      outbox.due(0);
      outbox.put(to, body);
      outbox.committed();
      expect(outbox.due(0).map(({ destination }) => destination)).toEqual([to]);
    });

    it('lets them overtake without its guard', () => {
      const outbox = ordered({ guards: withoutGuard('orderOfAppends') });
      put(outbox);
      outbox.due(0);
      put(outbox);
      expect(numbers(outbox, 0)).toEqual([2]);
    });
  });
});
