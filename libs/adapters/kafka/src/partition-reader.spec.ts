import { setImmediate as turn } from 'node:timers/promises';
import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { ManualClock } from '@perdure/clock';
import type { Fetched } from './fetcher.js';
import type { TopicView } from './kafka-cluster.js';
import { KAFKA_LIMITS } from './kafka-limits.js';
import { PartitionReader } from './partition-reader.js';
import type { RawRecord } from './record-codec.js';

/** As `@platformatic/kafka` tells what Kafka said. */
class KafkaSays extends Error {
  findBy(_property: string, id: string): unknown {
    return this.message === id ? this : null;
  }
}

interface Call {
  readonly offset: number;
  readonly waitMs: number;
  readonly topicId: string;
  answer(fetched: Fetched): void;
  fail(error: Error): void;
}

describe('PartitionReader', () => {
  let clock: ManualClock;
  /** What the partition holds. */
  let records: RawRecord[];
  let topicId: string;
  let begin: number;
  /** Fetches that wait at the broker, and those that it answered at once. */
  let waiting: Call[];
  let asked: number[];
  let troubles: string[];
  let told: number;
  let reader: PartitionReader;
  let isAway: boolean;

  const view = async (): Promise<TopicView> => ({ name: 't', id: topicId, clusterId: 'c', leaders: [] });
  const recordAt = (offset: number, size = 0): RawRecord => ({ offset, id: `r${offset}`, value: Buffer.from(JSON.stringify({ body: { kind: 'input', input: `i${offset}${'x'.repeat(size)}` } })) });
  /** A fetch brings three at most. */
  const fetchedFrom = (offset: number): Fetched => ({ records: records.slice(offset, offset + 3), next: Math.min(offset + 3, records.length) });
  const settled = async (): Promise<void> => {
    for (let round = 0; round < 8; round += 1) await turn();
  };
  const offsets = async (offset: number, limit = 100): Promise<number[]> => (await reader.read(offset, limit)).map((record) => record.offset);
  const listen = (): (() => void) => reader.onAppend(() => (told += 1));
  /** The fetch that waits is answered with what there is. */
  const answer = async (): Promise<void> => {
    const call = waiting.pop()!;
    call.answer(fetchedFrom(call.offset));
    await settled();
  };

  beforeEach(() => {
    clock = new ManualClock();
    [records, topicId, begin, waiting, asked, troubles, told, isAway] = [[], 'one', 0, [], [], [], 0, false];
    reader = new PartitionReader({
      slice: 'history/0', topic: 't', partition: 0, clock, random: () => 1, limits: { ...KAFKA_LIMITS, prefetchBytesMax: 1_000 }, trouble: ({ message }) => troubles.push(message),
      cluster: { view, refresh: view, ends: async () => ({ view: await view(), begin, end: records.length }) },
      fetcher: () => ({
        fetch: (wish) => {
          if (isAway) return Promise.reject(new Error('the broker is away'));
          if (wish.topicId !== topicId) return Promise.reject(new KafkaSays('UNKNOWN_TOPIC_ID'));
          if (wish.offset > records.length || wish.offset < begin) return Promise.reject(new KafkaSays('OFFSET_OUT_OF_RANGE'));
          if (wish.waitMs > 0) return new Promise((resolve, fail) => waiting.push({ ...wish, answer: resolve, fail }));
          asked.push(wish.offset);
          return Promise.resolve(fetchedFrom(wish.offset));
        },
        close: async () => waiting.splice(0).forEach(({ fail }) => fail(new Error('closed'))),
      }),
    });
  });
  afterEach(() => reader.close());

  it('asks the broker when nobody listens', async () => {
    expect(await offsets(0)).toEqual([]);
    records = [recordAt(0), recordAt(1)];
    expect(await offsets(0)).toEqual([0, 1]);
    expect([asked, waiting]).toEqual([[0, 0], []]);
  });

  it('asks nobody for what a fetch waits for, and tells when it is there', async () => {
    const stop = listen();
    expect(await offsets(0)).toEqual([]);
    await settled();
    const before = [told, asked.length];
    expect(await offsets(0)).toEqual([]);
    expect([told, asked.length]).toEqual(before);
    expect(waiting.map(({ offset }) => offset)).toEqual([0]);
    records = [recordAt(0), recordAt(1)];
    await answer();
    expect(told).toBe(before[0]! + 1);
    expect(await offsets(0, 1)).toEqual([0]);
    expect(await offsets(1)).toEqual([1]);
    expect(asked.length).toBe(before[1]);
    stop();
  });

  it('asks for what it knows to be there, though a fetch still waits; nothing comes twice', async () => {
    const stop = listen();
    await offsets(0);
    await settled();
    records = [recordAt(0), recordAt(1), recordAt(2)];
    reader.reaches(3);
    expect(await offsets(0)).toEqual([0, 1, 2]);
    // Now the waiting one has it too.
    await answer();
    expect(await offsets(0)).toEqual([0, 1, 2]);
    expect(await offsets(1, 1)).toEqual([1]);
    expect(await offsets(2)).toEqual([2]);
    expect(await offsets(3)).toEqual([]);
    stop();
  });

  it('goes back, and forth; what an older fetch brings is not taken for the newer', async () => {
    records = Array.from({ length: 6 }, (_, offset) => recordAt(offset));
    const stop = listen();
    expect(await offsets(6)).toEqual([]);
    await settled();
    expect(await offsets(2)).toEqual([2, 3, 4]);
    records.push(recordAt(6));
    await answer();
    // It waited at 6, and 5 has not been read.
    expect(await offsets(4)).toEqual([4]);
    await answer();
    expect(await offsets(4)).toEqual([4, 5, 6]);
    expect(await offsets(0, 1)).toEqual([0]);
    expect(await offsets(5, 1)).toEqual([5]);
    stop();
  });

  it('reads no further ahead than its limit, and on when there is room', async () => {
    const stop = listen();
    await offsets(0);
    await settled();
    records = [recordAt(0, 600), recordAt(1, 600)];
    await answer();
    expect(waiting).toEqual([]);
    expect(await offsets(0)).toEqual([0, 1]);
    await settled();
    expect(waiting).toEqual([]);
    expect(await offsets(1)).toEqual([1]);
    await settled();
    expect(waiting.map(({ offset }) => offset)).toEqual([2]);
    stop();
  });

  it('says once that the broker is away, tries on, and tells when there is something again', async () => {
    const stop = listen();
    await offsets(0);
    await settled();
    isAway = true;
    waiting.pop()!.fail(new Error('the broker is away'));
    for (let round = 0; round < 5; round += 1) {
      await settled();
      clock.advanceBy(KAFKA_LIMITS.retryAfterMsMax);
    }
    expect(troubles).toEqual(['Kafka cannot read history/0 now: the broker is away']);
    await expect(reader.read(0, 1)).rejects.toMatchObject({ code: 'unavailable', retryable: true });
    isAway = false;
    await settled();
    clock.advanceBy(KAFKA_LIMITS.retryAfterMsMax);
    await settled();
    const before = told;
    records = [recordAt(0)];
    await answer();
    expect([told, await offsets(0)]).toEqual([before + 1, [0]]);
    stop();
  });

  it('stops who listens when the topic is another, and lets who comes later have the new one', async () => {
    records = [recordAt(0)];
    const stop = listen();
    expect(await offsets(0)).toEqual([0]);
    await settled();
    topicId = 'two';
    reader.isOf('two');
    waiting.pop()!.fail(new KafkaSays('UNKNOWN_TOPIC_ID'));
    const before = told;
    await settled();
    expect(told).toBe(before + 1);
    await expect(reader.read(1, 1)).rejects.toMatchObject({ name: 'LogMismatch' });
    stop();
    reader.isOf('two');
    expect(await offsets(0)).toEqual([0]);
  });

  it('waits for a topic that the broker only does not know yet', async () => {
    const stop = listen();
    await offsets(0);
    await settled();
    waiting.pop()!.fail(new KafkaSays('UNKNOWN_TOPIC_ID'));
    await settled();
    clock.advanceBy(KAFKA_LIMITS.retryAfterMs);
    await settled();
    expect(waiting.map(({ offset }) => offset)).toEqual([0]);
    stop();
  });

  it('says what is wrong with an offset that the log does not have', async () => {
    records = Array.from({ length: 5 }, (_, offset) => recordAt(offset));
    begin = 3;
    await expect(reader.read(1, 1)).rejects.toMatchObject({ name: 'LogMismatch', message: expect.stringContaining('begins at 3') });
    await expect(reader.read(9, 1)).rejects.toMatchObject({ name: 'LogMismatch', message: expect.stringContaining('ends at 5') });
    records[4] = { offset: 4, id: undefined, value: Buffer.from('{}') };
    await expect(reader.read(4, 1)).rejects.toMatchObject({ name: 'LogMismatch', message: expect.stringContaining('none of ours') });
  });

  it('lets no fetch wait once nobody listens', async () => {
    const stop = listen();
    await offsets(0);
    await settled();
    stop();
    await answer();
    expect(waiting).toEqual([]);
    // And one does again for whoever comes.
    listen()();
    const again = listen();
    await settled();
    expect(waiting).toHaveLength(1);
    again();
  });
});
