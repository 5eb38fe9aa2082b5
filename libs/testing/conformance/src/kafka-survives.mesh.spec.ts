import { open, readdir } from 'node:fs/promises';
import { join } from 'node:path';
import { setTimeout as after } from 'node:timers/promises';
import { afterEach, beforeEach, describe, expect, it, jest } from '@jest/globals';
import { SystemClock } from '@perdure/clock';
import { checkLog, SliceOwner, type Log, type LogEntry, type SliceName } from '@perdure/delivery';
import { MemorySliceStore } from '@perdure/delivery/testing';
import { KAFKA_LIMITS, KafkaLogs } from '@perdure/kafka';
import { kafkaProgram, obtain, SilentProgress, startKafka, type ServerProcess } from '@perdure/servers';
import { AppendLoad, appendUntilTaken, hasLast } from './append-load.js';
import { InputIds } from './input-ids.js';
import { entryOf, follow, idOf, readAll } from './log-suite.js';

const SLICE: SliceName = 'history/0';

// A broker takes seconds to start, and more on a machine that has other things to do.
jest.setTimeout(240_000);

describe('KafkaLogs, when their broker', () => {
  let server: ServerProcess;
  const opened: KafkaLogs[] = [];
  beforeEach(async () => {
    server = await startKafka({ program: await obtain(kafkaProgram, { progress: new SilentProgress() }) });
  });
  afterEach(async () => {
    await Promise.all(opened.splice(0).map((logs) => logs.close()));
    await server.stop();
  });

  const openLogs = async (): Promise<KafkaLogs> => {
    const logs = await KafkaLogs.connect({ brokers: [server.address], prefix: 'p', counts: { history: 1, correlation: 1 }, clock: new SystemClock(), random: Math.random });
    opened.push(logs);
    return logs;
  };
  const openLog = async (): Promise<Log> => (await openLogs()).of(SLICE);

  it('is killed again and again: lose nothing that was acknowledged, and keep the order', async () => {
    const logs = [await openLog(), await openLog()];
    const load = new AppendLoad(logs, 8);
    const followed = follow(await openLog(), { isEnough: hasLast });
    for (let round = 1; round <= 2; round += 1) {
      await load.grow(300);
      await server.kill();
      await server.restart();
    }
    await load.grow(100);
    await load.end();
    const records = await followed;
    load.expectWhole(records);
    expect((await readAll(await openLog())).map(({ id }) => id)).toEqual(records.map(({ id }) => id));
  });

  it('is away: say so in bounded time, and go on by themselves when it is back', async () => {
    const log = await openLog();
    const reader = await openLog();
    await log.append([entryOf('a')]);
    expect((await reader.read(0, 10)).map(idOf)).toEqual(['a']);
    const followed = follow(reader, { isEnough: (records) => records.map(idOf).includes('after') });
    await server.kill();

    const beganMs = Date.now();
    const outcomes = await Promise.allSettled([log.append([entryOf('lost')]), log.describe(), log.read(0, 1)]);
    expect(Date.now() - beganMs).toBeLessThan(KAFKA_LIMITS.appendTimeoutMs + 1_000);
    for (const outcome of outcomes) expect(outcome).toMatchObject({ status: 'rejected', reason: { code: 'unavailable', retryable: true } });

    await server.restart();
    await appendUntilTaken(log, [entryOf('after')]);
    // Twice, if the answer to the first was lost.
    expect([...new Set((await followed).map(idOf).filter((id) => id !== 'lost'))]).toEqual(['a', 'after']);
  });

  it('stands still: say so in bounded time; what it takes twice is taken once by the owner', async () => {
    const log = await openLog();
    const store = new MemorySliceStore<readonly string[]>(() => undefined);
    const owner = await SliceOwner.open<readonly string[], InputIds>({
      slice: SLICE, store, log: await openLog(), logs: await openLogs(), clock: new SystemClock(), random: Math.random,
      bus: { send: () => undefined, confirm: () => undefined }, machine: async () => new InputIds(), defer: (run) => setImmediate(run),
    });
    const fromOutbox = (number: number): LogEntry => ({ origin: { source: 'scheduler/0', number, mark: 1 }, ...entryOf(`n${number}`) });
    await log.append([fromOutbox(1)]);
    server.pause();
    const beganMs = Date.now();
    await expect(log.append([fromOutbox(2), fromOutbox(3)])).rejects.toMatchObject({ code: 'unavailable', retryable: true });
    expect(Date.now() - beganMs).toBeLessThan(KAFKA_LIMITS.appendTimeoutMs + 1_000);
    server.resume();
    await appendUntilTaken(log, [fromOutbox(2), fromOutbox(3)]);
    await appendUntilTaken(log, [fromOutbox(4)]);

    const records = await readAll(log);
    // The producer gave up on what the broker had received.
    expect(records.length).toBeGreaterThan(4);
    expect([...new Set(records.map(idOf))]).toEqual(['n1', 'n2', 'n3', 'n4']);
    const { end } = await log.describe();
    while ((store.log?.offset ?? 0) < end) await after(10);
    expect(owner.machine.taken).toEqual(['n1', 'n2', 'n3', 'n4']);
    await owner.close();
  });

  it('has lost the tail of its disk: see that the log is shorter than what was read', async () => {
    const log = await openLog();
    for (let index = 0; index < 20; index += 1) await log.append([entryOf(`i${index}`)]);
    const [last] = await log.read(19, 1);
    const position = { identity: (await log.describe()).identity, offset: 20, lastId: last!.id };
    const early = { ...position, offset: 1, lastId: (await log.read(0, 1))[0]!.id };
    await server.kill();
    await cutSegment(join(server.folder, 'data', 'p.history-0'));
    await server.restart();

    const reopened = await openLog();
    const { end } = await reopened.describe();
    expect(end).toBeGreaterThan(0);
    expect(end).toBeLessThan(20);
    await expect(checkLog(SLICE, reopened, position)).rejects.toMatchObject({ name: 'LogMismatch', message: expect.stringContaining(`ends at ${end}`) });
    expect(await checkLog(SLICE, reopened, early)).toEqual(early);
    // Grown as long again, with other records.
    for (let index = end; index < 25; index += 1) await reopened.append([entryOf(`other${index}`)]);
    await expect(checkLog(SLICE, reopened, position)).rejects.toMatchObject({ name: 'LogMismatch' });
  });
});

/** Half of the partition's one segment. */
async function cutSegment(folder: string): Promise<void> {
  const name = (await readdir(folder)).find((file) => file.endsWith('.log'))!;
  const segment = await open(join(folder, name), 'r+');
  const { buffer } = await segment.read({ buffer: Buffer.alloc(64 * 1024) });
  // Batches are as long as they say: offset (8), length (4), and so many bytes.
  let size = 0;
  for (let at = 0; at + 12 <= buffer.length && buffer.readInt32BE(at + 8) > 0; at += 12 + buffer.readInt32BE(at + 8)) size = at + 12 + buffer.readInt32BE(at + 8);
  await segment.truncate(Math.floor(size / 2));
  await segment.close();
}
