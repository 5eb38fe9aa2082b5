import { randomUUID } from 'node:crypto';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from '@jest/globals';
import { SystemClock } from '@perdure/clock';
import { KafkaLogs } from '@perdure/kafka';
import { Kafka, logLevel, type Admin } from 'kafkajs';
import { entryOf, follow, idOf, logSuite, readAll } from './log-suite.js';
import { requiredAddress } from './required-address.js';

const broker = requiredAddress('PERDURE_TEST_KAFKA', process.env);
const admin: Admin = new Kafka({ brokers: [broker], logLevel: logLevel.NOTHING }).admin();
beforeAll(() => admin.connect());
afterAll(() => admin.disconnect());

const COUNTS = { history: 2, correlation: 1 };
const SLICE = 'history/1';

/** Opens logs under one prefix as processes do, and ends them together. */
class Processes {
  readonly prefix = `log-${randomUUID().slice(0, 8)}`;
  readonly topic = `${this.prefix}.history`;
  readonly #opened: KafkaLogs[] = [];

  async open(counts = COUNTS): Promise<KafkaLogs> {
    const logs = await KafkaLogs.connect({ brokers: [broker], prefix: this.prefix, counts, clock: new SystemClock(), random: Math.random });
    this.#opened.push(logs);
    return logs;
  }

  async close(): Promise<void> {
    await Promise.all(this.#opened.map((logs) => logs.close()));
    await this.deleteTopics();
  }

  async deleteTopics(): Promise<void> {
    const topics = (await admin.listTopics()).filter((topic) => topic.startsWith(`${this.prefix}.`));
    await admin.deleteTopics({ topics });
    // Kafka says so before it is so.
    while ((await admin.listTopics()).some((topic) => topics.includes(topic)));
  }
}

logSuite('kafka', async () => {
  const processes = new Processes();
  const logs = await processes.open();
  return {
    slice: SLICE,
    log: logs.of(SLICE),
    reopen: async () => (await processes.open()).of(SLICE),
    remake: async () => {
      await processes.deleteTopics();
      return (await processes.open()).of(SLICE);
    },
    close: () => processes.close(),
  };
});

describe('KafkaLogs', () => {
  let processes: Processes;
  let logs: KafkaLogs;
  beforeEach(async () => {
    processes = new Processes();
    logs = await processes.open();
  });
  afterEach(() => processes.close());

  it('makes topics that keep everything, and each Produce on the disk', async () => {
    const { topics } = await admin.fetchTopicMetadata({ topics: [processes.topic, `${processes.prefix}.correlation`] });
    expect(topics.map(({ partitions }) => partitions.length).sort()).toEqual([1, 2]);
    const names = ['cleanup.policy', 'retention.ms', 'retention.bytes', 'flush.messages'];
    const { resources } = await admin.describeConfigs({ includeSynonyms: false, resources: [{ type: 2, name: processes.topic, configNames: names }] });
    const config = Object.fromEntries(resources[0]!.configEntries.map(({ configName, configValue }) => [configName, configValue]));
    expect(config).toEqual({ 'cleanup.policy': 'delete', 'retention.ms': '-1', 'retention.bytes': '-1', 'flush.messages': '1' });
  });

  it('is refused by the name of a topic that has another number of partitions', async () => {
    await expect(processes.open({ history: 3, correlation: 1 })).rejects.toMatchObject({ retryable: false, message: expect.stringContaining(`${processes.topic} has 2 partitions, and 3`) });
  });

  it('can be made by many at once', async () => {
    const others = new Processes();
    const opened = await Promise.all(Array.from({ length: 4 }, () => others.open()));
    const described = await Promise.all(opened.map((each) => each.of('correlation/0').describe()));
    expect(new Set(described.map(({ identity }) => identity)).size).toBe(1);
    await others.close();
  });

  it('has no log for a slice that has none', () => {
    expect(() => logs.of('history/2')).toThrow('history/2 has no log');
    expect(() => logs.of('scheduler/0')).toThrow('scheduler/0 has no log');
  });

  it('keeps the logs of its slices apart', async () => {
    await Promise.all([logs.of('history/0').append([entryOf('h0')]), logs.of('history/1').append([entryOf('h1')]), logs.of('correlation/0').append([entryOf('c0')])]);
    for (const [slice, id] of [['history/0', 'h0'], ['history/1', 'h1'], ['correlation/0', 'c0']] as const) expect((await readAll(logs.of(slice))).map(idOf)).toEqual([id]);
  });

  it('has 10,000 of 10,000 appends, by 50 at a time', async () => {
    const reader = (await processes.open()).of(SLICE);
    const followed = follow(reader, { isEnough: ({ length }) => length >= 10_000 });
    let next = 0;
    await Promise.all(Array.from({ length: 50 }, async () => {
      while (next < 10_000) await logs.of(SLICE).append([entryOf(`i${next++}`)]);
    }));
    expect((await logs.of(SLICE).describe()).end).toBe(10_000);
    const records = await followed;
    expect(new Set(records.map(idOf)).size).toBe(10_000);
    expect(new Set(records.map(({ id }) => id)).size).toBe(10_000);
    expect(records.map(({ offset }) => offset)).toEqual(records.map((_, index) => index));
  });

  it('trims what it is told to, and keeps the last record that was consumed', async () => {
    await logs.of(SLICE).append(Array.from({ length: 10 }, (_, index) => entryOf(`i${index}`)));
    await logs.pastOf(SLICE).trim(6);
    const log = (await processes.open()).of(SLICE);
    expect(await log.describe()).toMatchObject({ begin: 5, end: 10 });
    expect((await log.read(5, 2)).map(idOf)).toEqual(['i5', 'i6']);
    await expect(log.read(4, 1)).rejects.toMatchObject({ name: 'LogMismatch', message: expect.stringContaining('begins at 5') });
  });

  it('stops who reads a log that is made anew under him', async () => {
    const log = logs.of(SLICE);
    await log.append([entryOf('a'), entryOf('b')]);
    expect(await log.read(0, 10)).toHaveLength(2);
    const told = new Promise<unknown>((resolve) => {
      const stop = log.onAppend(() => {
        log.read(2, 10).then(() => undefined, (error: unknown) => {
          stop();
          resolve(error);
        });
      });
    });
    await log.read(2, 10);
    await processes.deleteTopics();
    // As long as the old one, so that only its id tells.
    await (await processes.open()).of(SLICE).append([entryOf('c'), entryOf('d'), entryOf('e')]);
    expect(await told).toMatchObject({ name: 'LogMismatch', retryable: false });
    // And who opens it again sees which it is.
    const { identity } = await log.describe();
    expect(identity).toBe((await (await processes.open()).of(SLICE).describe()).identity);
    expect((await log.read(0, 1)).map(idOf)).toEqual(['c']);
  });

  it('stops who reads a record that none of us wrote', async () => {
    const producer = new Kafka({ brokers: [broker], logLevel: logLevel.NOTHING }).producer();
    await producer.connect();
    await producer.send({ topic: processes.topic, messages: [{ partition: 1, value: 'not ours' }] });
    await producer.disconnect();
    await expect(logs.of(SLICE).read(0, 1)).rejects.toMatchObject({ name: 'LogMismatch' });
  });

  it('refuses at once what the topic never takes, if somebody else has made it', async () => {
    const others = new Processes();
    await admin.createTopics({ topics: [{ topic: others.topic, numPartitions: 2, configEntries: [{ name: 'max.message.bytes', value: '2000' }] }] });
    const log = (await others.open()).of(SLICE);
    await expect(log.append([entryOf('a', 'x'.repeat(3_000))])).rejects.toMatchObject({ code: 'payload-too-large', retryable: false });
    await log.append([entryOf('b')]);
    expect((await readAll(log)).map(idOf)).toEqual(['b']);
    await others.close();
  });

  it('refuses a record over the limit, and takes the one after it', async () => {
    const log = logs.of(SLICE);
    await expect(log.append([entryOf('a', 'x'.repeat(17 * 1024 * 1024))])).rejects.toMatchObject({ code: 'payload-too-large', retryable: false });
    await log.append([entryOf('b')]);
    expect((await readAll(log)).map(idOf)).toEqual(['b']);
  });
});
