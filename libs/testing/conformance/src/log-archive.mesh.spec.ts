import { randomUUID } from 'node:crypto';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as after } from 'node:timers/promises';
import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { FolderLogArchive, S3LogArchive } from '@perdure/archive';
import { SystemClock } from '@perdure/clock';
import { LogArchive, LogArchiver, SliceOwner, wholeLog, type LogName, type LogRecord, type Segment, type SliceName } from '@perdure/delivery';
import { MemorySliceStore } from '@perdure/delivery/testing';
import { KafkaLogs, type KafkaLimits } from '@perdure/kafka';
import { Kafka, logLevel } from 'kafkajs';
import { InputIds } from './input-ids.js';
import { entryOf, idOf } from './log-suite.js';
import { requiredAddress } from './required-address.js';
import { makeBucket, toS3Options } from './s3-bucket.js';

const broker = requiredAddress('PERDURE_TEST_KAFKA', process.env);
const s3 = new URL(requiredAddress('PERDURE_TEST_S3', process.env));
const SLICE: SliceName = 'history/0';

interface Opened {
  readonly archive: LogArchive;
  close(): Promise<void>;
}

const inFolder = async (): Promise<Opened> => {
  const folder = await mkdtemp(join(tmpdir(), 'perdure-archive-'));
  return { archive: new FolderLogArchive(folder), close: () => rm(folder, { recursive: true, force: true }) };
};

const inBucket = async (): Promise<Opened> => {
  const bucket = `logs-${randomUUID().slice(0, 8)}`;
  await makeBucket(s3, bucket);
  const archive = await S3LogArchive.load(toS3Options(s3, { bucket, prefix: 'mesh' }));
  return { archive, close: async () => archive.close() };
};

/** Its process dies when a segment is there, before anybody hears of it; or only seems to, and goes on much later. */
class DeadlyArchive extends LogArchive {
  readonly #inner: LogArchive;
  readonly #puts: number;
  #made = 0;
  #isDead: () => void = () => undefined;
  /** Resolves when it is dead. */
  readonly death = new Promise<void>((resolve) => (this.#isDead = resolve));
  #wake: () => void = () => undefined;
  readonly #sleep = new Promise<void>((resolve) => (this.#wake = resolve));

  constructor(inner: LogArchive, { puts }: { readonly puts: number }) {
    super();
    this.#inner = inner;
    this.#puts = puts;
  }
  wake(): void {
    this.#wake();
  }
  override segments(log: LogName): Promise<readonly Segment[]> {
    return this.#inner.segments(log);
  }
  override get(log: LogName, segment: Segment): Promise<string> {
    return this.#inner.get(log, segment);
  }
  override async put(log: LogName, segment: Segment, text: string): Promise<boolean> {
    const isPut = await this.#inner.put(log, segment, text);
    if (++this.#made < this.#puts) return isPut;
    this.#isDead();
    await this.#sleep;
    return isPut;
  }
}

describe.each([['a folder', inFolder], ['S3', inBucket]] as const)('A loaded slice on Kafka, archived in %s', (_name, openArchive) => {
  const prefix = (): string => `archived-${randomUUID().slice(0, 8)}`;
  let topics: string;
  let opened: Opened;
  let processes: KafkaLogs[];
  let store: MemorySliceStore<readonly string[]>;
  let consumed: string[];
  beforeEach(async () => {
    topics = prefix();
    opened = await openArchive();
    processes = [];
    consumed = [];
    store = new MemorySliceStore<readonly string[]>((rows) => void consumed.push(...rows));
  });
  afterEach(async () => {
    await Promise.all(processes.map((logs) => logs.close()));
    await opened.close();
    const admin = new Kafka({ brokers: [broker], logLevel: logLevel.NOTHING }).admin();
    await admin.connect();
    await admin.deleteTopics({ topics: [`${topics}.history`, `${topics}.correlation`] });
    await admin.disconnect();
  });

  const startProcess = async (limits: Partial<KafkaLimits> = {}): Promise<KafkaLogs> => {
    const logs = await KafkaLogs.connect({ limits, brokers: [broker], prefix: topics, counts: { history: 1, correlation: 1 }, clock: new SystemClock(), random: Math.random });
    processes.push(logs);
    return logs;
  };
  const open = async (archive: LogArchive, { limits = {}, defer = (run) => void setImmediate(run), down }: { readonly limits?: Partial<KafkaLimits>; readonly defer?: (run: () => void) => void; readonly down?: (error: Error) => void } = {}) => {
    const logs = await startProcess(limits);
    const owner = await SliceOwner.open<readonly string[], InputIds>({
      slice: SLICE, store, log: logs.of(SLICE), logs, clock: new SystemClock(), random: Math.random,
      bus: { send: () => undefined, confirm: () => undefined }, machine: async () => new InputIds(), defer,
      events: { steppedDown: (_slice, error) => down?.(error) },
    });
    const archiver = new LogArchiver({ slice: SLICE, archive, log: logs.pastOf(SLICE), committed: () => owner.position, clock: new SystemClock(), random: Math.random, defer: (run) => setImmediate(run), limits: { segmentRecordsMax: 400, segmentAfterMs: 50 } });
    return { logs, owner, archiver };
  };
  const whole = async (): Promise<LogRecord[]> => {
    const records: LogRecord[] = [];
    for await (const record of wholeLog({ slice: SLICE, archive: opened.archive, log: (await startProcess()).of(SLICE) })) records.push(record);
    return records;
  };

  it('loses nothing when its owner dies between archive and trim, and the log begins later', async () => {
    const clients = await startProcess();
    const acked: string[] = [];
    let isOver = false;
    const load = Promise.all(Array.from({ length: 8 }, async (_, client) => {
      for (let index = 0; !isOver; index++) {
        const id = `${client}/${index}`;
        await clients.of(SLICE).append([entryOf(id, 'x'.repeat(200))]);
        acked.push(id);
      }
    }));
    const reach = async (count: number): Promise<void> => {
      while (consumed.length < count) await after(5);
    };
    const describe = () => clients.of(SLICE).describe();

    const deadly = new DeadlyArchive(opened.archive, { puts: 2 });
    const first = await open(deadly);
    await reach(1_500);
    expect((await first.archiver.step()).records).toBe(400);
    expect((await describe()).begin).toBe(399);
    const dying = first.archiver.step();
    await deadly.death;
    // The second segment is there, and nothing of it is trimmed.
    expect((await describe()).begin).toBe(399);

    const second = await open(opened.archive);
    await reach(3_000);
    expect(first.owner.isDown || first.owner.epoch < second.owner.epoch).toBe(true);
    for (let isMore = true; isMore; ) ({ isMore } = await second.archiver.step());
    const { begin } = await describe();
    expect(begin).toBeGreaterThan(799);
    // The first one was only slow. It trims nothing more than is archived, and is no danger to who comes after it.
    deadly.wake();
    await dying;
    for (let times = 0; times < 3; times++) await first.archiver.step();

    isOver = true;
    await load;
    await reach(acked.length);
    const third = await open(opened.archive);
    await clients.of(SLICE).append([entryOf('last')]);
    acked.push('last');
    await reach(acked.length);
    do await third.archiver.step();
    while (third.archiver.waiting > 0);

    const records = await whole();
    expect(records.map(({ offset }) => offset)).toEqual(records.map((_, index) => index));
    expect(records.map(idOf)).toEqual(consumed);
    expect([consumed.length, consumed.toSorted()]).toEqual([acked.length, acked.toSorted()]);
    expect((await describe()).begin).toBeGreaterThanOrEqual(begin);
    await third.owner.close();
  }, 120_000);

  it('has nothing wrong with it for an owner that was held until another had trimmed what it never read', async () => {
    const held: (() => void)[] = [];
    let isHeld = false;
    const down: string[] = [];
    const first = await open(opened.archive, {
      // It has little of what comes in its memory.
      limits: { fetchBytesMax: 4_000, prefetchBytesMax: 1 },
      defer: (run) => void (isHeld ? held.push(run) : setImmediate(run)),
      down: (error) => down.push(error.message),
    });
    const { logs } = first;
    await logs.of(SLICE).append([entryOf('before')]);
    while (consumed.length < 1) await after(5);
    isHeld = true;
    for (let at = 0; at < 20; at++) await logs.of(SLICE).append(Array.from({ length: 100 }, (_, index) => entryOf(`${at}/${index}`, 'x'.repeat(100))));
    const second = await open(opened.archive);
    while (consumed.length < 2_001) await after(5);
    do await second.archiver.step();
    while (second.archiver.waiting > 0);
    expect((await logs.of(SLICE).describe()).begin).toBe(2_000);
    // What it has read ahead it loses by reading elsewhere, as by a restart of its connection.
    await logs.of(SLICE).read(2_000, 1);
    isHeld = false;
    for (const run of held.splice(0)) run();
    while (down.length === 0) await after(5);
    expect(down).toEqual([expect.stringContaining('its log was read at')]);
    await second.owner.close();
  }, 60_000);

  it('can be read whole while it is archived and trimmed', async () => {
    const { logs, owner, archiver } = await open(opened.archive);
    const count = 3_000;
    for (let at = 0; at < count; at += 100) await logs.of(SLICE).append(Array.from({ length: 100 }, (_, index) => entryOf(`i${at + index}`)));
    while ((owner.position?.offset ?? 0) < count) await after(5);
    const read: string[] = [];
    for await (const record of wholeLog({ slice: SLICE, archive: opened.archive, log: (await startProcess()).of(SLICE) })) {
      read.push(idOf(record));
      if (read.length % 500 === 0) await archiver.step();
    }
    expect(read).toEqual(Array.from({ length: count }, (_, index) => `i${index}`));
    expect((await logs.of(SLICE).describe()).begin).toBeGreaterThan(1_000);
    await owner.close();
  }, 60_000);
});
