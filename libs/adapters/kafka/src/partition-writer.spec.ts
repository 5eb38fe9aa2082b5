import { setImmediate as turn } from 'node:timers/promises';
import { beforeEach, describe, expect, it } from '@jest/globals';
import { ManualClock } from '@perdure/clock';
import { PerdureError } from '@perdure/contract';
import { KAFKA_LIMITS, type KafkaLimits } from './kafka-limits.js';
import { PartitionWriter, type Produced } from './partition-writer.js';

/** One Produce that is on its way. */
interface Call {
  readonly records: readonly Produced[];
  answer(end: number): void;
  fail(error: Error): void;
}

describe('PartitionWriter', () => {
  let clock: ManualClock;
  let calls: Call[];
  let ends: number[];
  beforeEach(() => {
    clock = new ManualClock();
    [calls, ends] = [[], []];
  });

  const writerOf = (limits: Partial<KafkaLimits> = {}): PartitionWriter => {
    let ids = 0;
    return new PartitionWriter({
      name: 'topic/0', clock, random: () => 0.5, limits: { ...KAFKA_LIMITS, ...limits }, newId: () => `id${++ids}`, acknowledged: (end) => ends.push(end),
      produce: (records) => new Promise((answer, fail) => calls.push({ records, answer, fail })),
    });
  };
  const valuesOf = ({ records }: Call): string[] => records.map(({ value }) => value.toString());
  const bytes = (...texts: readonly string[]): Buffer[] => texts.map((text) => Buffer.from(text));
  /** What has become of a promise by now. */
  const stateOf = async (promise: Promise<void>): Promise<string> => {
    await turn();
    return Promise.race([promise.then(() => 'resolved', (error: unknown) => (error instanceof PerdureError ? error.code : 'rejected')), turn('pending')]);
  };
  const settled = async (): Promise<void> => {
    for (let round = 0; round < 5; round += 1) await turn();
  };
  const away = (): Error => new Error('the broker is away');

  it('sends what waits in one Produce, in order, and one at a time', async () => {
    const writer = writerOf();
    const first = [writer.append(bytes('a', 'b')), writer.append(bytes('c'))];
    await settled();
    const second = [writer.append(bytes('d')), writer.append(bytes('e'))];
    await settled();
    expect(calls.map(valuesOf)).toEqual([['a', 'b', 'c']]);
    expect(await stateOf(first[0]!)).toBe('pending');
    calls[0]!.answer(3);
    await Promise.all(first);
    await settled();
    expect(calls.map(valuesOf)).toEqual([['a', 'b', 'c'], ['d', 'e']]);
    expect(await stateOf(second[0]!)).toBe('pending');
    calls[1]!.answer(5);
    await Promise.all(second);
    expect(ends).toEqual([3, 5]);
  });

  it('tries a Produce that failed again before what came after it, under new ids', async () => {
    const writer = writerOf();
    const first = writer.append(bytes('a'));
    await settled();
    const second = writer.append(bytes('b'));
    calls[0]!.fail(away());
    await settled();
    expect(calls).toHaveLength(1);
    clock.advanceBy(KAFKA_LIMITS.retryAfterMs);
    await settled();
    expect(calls.map(valuesOf)).toEqual([['a'], ['a']]);
    expect(calls[0]!.records[0]!.id).not.toBe(calls[1]!.records[0]!.id);
    calls[1]!.answer(2);
    await first;
    await settled();
    expect(valuesOf(calls[2]!)).toEqual(['b']);
    calls[2]!.answer(3);
    await second;
  });

  it('lets nobody wait longer than the limit, neither behind another nor for an answer that does not come', async () => {
    const writer = writerOf();
    const sent = writer.append(bytes('a'));
    await settled();
    clock.advanceBy(1_000);
    const queued = writer.append(bytes('b'));
    clock.advanceBy(KAFKA_LIMITS.appendTimeoutMs - 1_000);
    expect(await stateOf(sent)).toBe('unavailable');
    expect(await stateOf(queued)).toBe('pending');
    clock.advanceBy(1_000);
    expect(await stateOf(queued)).toBe('unavailable');
    // What was given up is not sent again; what comes later is.
    const later = writer.append(bytes('c'));
    calls[0]!.fail(away());
    await settled();
    clock.advanceBy(KAFKA_LIMITS.retryAfterMsMax);
    await settled();
    expect(calls.map(valuesOf)).toEqual([['a'], ['c']]);
    calls[1]!.answer(9);
    await later;
    await writer.close();
  });

  it('refuses at once what Kafka will never take, and goes on', async () => {
    const writer = writerOf();
    const refused = writer.append(bytes('a'));
    await settled();
    calls[0]!.fail(new PerdureError('payload-too-large', 'too large'));
    expect(await stateOf(refused)).toBe('payload-too-large');
    const next = writer.append(bytes('b'));
    await settled();
    calls[1]!.answer(1);
    await next;
  });

  it('puts no more into one Produce than its limits say, but at least one append', async () => {
    const writer = writerOf({ produceRecordsMax: 3, produceBytesMax: 10 });
    const appends = [bytes('1', '2'), bytes('3'), bytes('4'), bytes('123456'), bytes('123456'), bytes('more than ten bytes')].map((values) => writer.append(values));
    for (let index = 0; index < 4; index += 1) {
      await settled();
      calls[index]!.answer(0);
    }
    await settled();
    expect(calls.map((call) => call.records.length)).toEqual([3, 2, 1, 1]);
    await Promise.all(appends);
  });

  it('refuses when too much waits, and takes more when it waits no longer', async () => {
    const writer = writerOf({ appendQueueBytesMax: 10 });
    const waits = writer.append(bytes('more than ten bytes'));
    await expect(writer.append(bytes('b'))).rejects.toMatchObject({ code: 'overloaded', retryable: true });
    await settled();
    calls[0]!.answer(1);
    await waits;
    const next = writer.append(bytes('b'));
    await settled();
    calls[1]!.answer(2);
    await next;
  });

  it('refuses a record over its limit, and takes nothing once it is closed', async () => {
    const writer = writerOf({ recordBytesMax: 3 });
    await expect(writer.append(bytes('four'))).rejects.toMatchObject({ code: 'payload-too-large', retryable: false });
    await writer.append([]);
    await writer.close();
    await expect(writer.append(bytes('a'))).rejects.toMatchObject({ code: 'draining' });
    expect(calls).toEqual([]);
  });
});
