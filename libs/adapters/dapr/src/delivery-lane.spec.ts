import { describe, expect, it } from '@jest/globals';
import { DAPR_LIMITS } from './dapr-limits.js';
import { DeliveryLane, type DeliveryLaneOptions } from './delivery-lane.js';
import type { Mail } from './mail.js';

const mail = (json: string, bytes = json.length): Mail => ({ kind: 'envelope', service: 'scheduler', json, bytes, partitionKey: 'scheduler/0' });
const confirmation = (json: string): Mail => ({ ...mail(json), kind: 'confirmation' });

/** A lane whose turns and calls the test ends. */
const open = (limits: Partial<DeliveryLaneOptions['limits']> = {}): { lane: DeliveryLane; turn: () => void; sent: string[]; failed: string[]; dropped: string[]; ring: () => void; calls: { resolve: () => void; reject: (error: Error) => void }[] } => {
  const turns: (() => void)[] = [];
  const alarms = new Set<() => void>();
  const sent: string[] = [];
  const failed: string[] = [];
  const dropped: string[] = [];
  const calls: { resolve: () => void; reject: (error: Error) => void }[] = [];
  const text = (mails: readonly Mail[]): string => mails.map(({ json }) => json).join('');
  const lane = new DeliveryLane({
    limits: { ...DAPR_LIMITS, deliveryCallsMax: 1, ...limits },
    defer: (run) => void turns.push(run),
    later: (run) => {
      alarms.add(run);
      return () => void alarms.delete(run);
    },
    send: (mails) => new Promise<void>((resolve, reject) => void (sent.push(text(mails)), calls.push({ resolve, reject }))),
    failed: (mails, { message }) => void failed.push(`${text(mails)}: ${message}`),
    dropped: ({ json }) => void dropped.push(json),
  });
  return { lane, sent, failed, dropped, calls, ring: () => [...alarms].forEach((run) => run()), turn: () => turns.splice(0).forEach((run) => run()) };
};

describe('A delivery lane', () => {
  it('sends what comes in one turn in one call', () => {
    const { lane, turn, sent } = open();
    for (const each of ['a', 'b', 'c']) lane.add(mail(each));
    expect(sent).toEqual([]);
    turn();
    expect(sent).toEqual(['abc']);
  });

  it('sends confirmations together after a while', () => {
    const { lane, turn, ring, sent } = open();
    for (const each of ['a', 'b']) {
      lane.add(confirmation(each));
      turn();
    }
    expect(sent).toEqual([]);
    ring();
    expect(sent).toEqual(['ab']);
  });

  it('sends them with an envelope, if one comes before', () => {
    const { lane, turn, ring, sent } = open();
    lane.add(confirmation('a'));
    lane.add(mail('b'));
    turn();
    ring();
    expect(sent).toEqual(['ab']);
  });

  it('has no more calls under way than it may, and sends what has come meanwhile together', async () => {
    const { lane, turn, sent, calls } = open({ deliveryCallsMax: 2 });
    for (const each of ['a', 'b', 'c', 'd']) {
      lane.add(mail(each));
      turn();
    }
    expect(sent).toEqual(['a', 'b']);
    calls[0]!.resolve();
    await new Promise(setImmediate);
    expect(sent).toEqual(['a', 'b', 'cd']);
  });

  it('cuts calls by bytes and by number, and sends alone what is larger than a call', async () => {
    const { lane, turn, sent, calls } = open({ deliveryCallBytesMax: 10, deliveryCallMailsMax: 2 });
    for (const [json, bytes] of [['a', 1], ['b', 1], ['c', 6], ['d', 6], ['e', 99]] as const) lane.add(mail(json, bytes));
    turn();
    for (let index = 0; index < 3; index++) {
      calls[index]!.resolve();
      await new Promise(setImmediate);
    }
    expect(sent).toEqual(['ab', 'c', 'd', 'e']);
  });

  it('drops what is too much, and says so', () => {
    const { lane, dropped } = open({ waitingMailsMax: 2, waitingBytesMax: 10 });
    lane.add(mail('a', 11));
    lane.add(mail('b', 1));
    expect(dropped).toEqual(['b']);
    const other = open({ waitingMailsMax: 1 });
    other.lane.add(mail('a'));
    other.lane.add(mail('b'));
    expect(other.dropped).toEqual(['b']);
  });

  it('goes on after a call that failed', async () => {
    const { lane, turn, sent, failed, calls } = open();
    lane.add(mail('a'));
    turn();
    lane.add(mail('b'));
    calls[0]!.reject(new Error('cut'));
    await new Promise(setImmediate);
    expect([sent, failed]).toEqual([['a', 'b'], ['a: cut']]);
  });

  it('is idle when all has left', async () => {
    const { lane, sent, calls } = open();
    lane.add(mail('a'));
    const idle = lane.idle().then(() => 'idle');
    expect(sent).toEqual(['a']);
    expect(await Promise.race([idle, new Promise((resolve) => setImmediate(resolve, 'busy'))])).toBe('busy');
    calls[0]!.resolve();
    expect(await idle).toBe('idle');
  });
});
