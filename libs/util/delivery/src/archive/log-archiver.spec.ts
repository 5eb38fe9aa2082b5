import { beforeEach, describe, expect, it } from '@jest/globals';
import { ManualClock } from '@perdure/clock';
import { PerdureError, type Input } from '@perdure/contract';
import type { LogRecord } from '../log.js';
import type { SliceName } from '../message.js';
import { MemoryLog } from '../testing/memory-log.js';
import { MemoryLogArchive } from '../testing/memory-log-archive.js';
import { LogArchiver } from './log-archiver.js';
import { toLine, toSegmentText } from './segment-text.js';
import { wholeLog } from './whole-log.js';

const SLICE: SliceName = 'history/0';
const NAME = { slice: SLICE, identity: 'log-1' };
const input = (id: string, text = ''): Input => ({ id, tenant: 't', workflowId: 'w', at: 1, kind: 'signal', name: 's', input: text });
const idOf = ({ body }: LogRecord): string => (body.kind === 'input' ? body.input.id : body.kind);

/** Fails where it is told to. */
class MoodyArchive extends MemoryLogArchive {
  /** It keeps what it is given and says that it failed, or fails. */
  mood: 'fine' | 'answers are lost' | 'refuses' | 'forgets' = 'fine';

  override async put(...given: Parameters<MemoryLogArchive['put']>): Promise<boolean> {
    if (this.mood === 'refuses') throw new PerdureError('unavailable', 'not now');
    const isPut = await super.put(...given);
    if (this.mood === 'answers are lost') throw new PerdureError('unavailable', 'nobody knows');
    return isPut;
  }
  override async get(...given: Parameters<MemoryLogArchive['get']>): Promise<string> {
    const text = await super.get(...given);
    return this.mood === 'forgets' ? text.slice(0, -10) : text;
  }
}

describe('The archiver of a log', () => {
  let log: MemoryLog;
  let archive: MoodyArchive;
  let clock: ManualClock;
  beforeEach(() => {
    log = new MemoryLog('log-1');
    archive = new MoodyArchive();
    clock = new ManualClock();
  });

  const append = (from: number, to: number, text?: string): Promise<void> => log.append(Array.from({ length: to - from }, (_, index) => ({ body: { kind: 'input', input: input(`i${from + index}`, text) } })));
  /** `at.offset`: how far its owner has committed. */
  const archiver = (at: { offset: number; identity?: string }) =>
    new LogArchiver({ slice: SLICE, archive, log, clock, random: () => 1, defer: (run) => void setImmediate(run), committed: () => ({ identity: 'log-1', ...at }), limits: { segmentRecordsMax: 10, segmentBytesMax: 10_000, segmentAfterMs: 1_000, readRecordsMax: 3 } });
  const stretches = (): string[] => [...archive.kept.values()].map(({ segment: { first, last } }) => `${first}-${last}`);
  const all = async (): Promise<string[]> => {
    const ids: string[] = [];
    for await (const record of wholeLog({ slice: SLICE, archive, log })) ids.push(idOf(record));
    return ids;
  };
  const ids = (to: number): string[] => Array.from({ length: to }, (_, index) => `i${index}`);

  it('archives what fills a segment at once, the rest after a while, and trims behind it', async () => {
    const at = { offset: 25 };
    await append(0, 30);
    const one = archiver(at);
    expect(await one.step()).toEqual({ records: 10, isMore: true });
    expect(await one.step()).toEqual({ records: 10, isMore: false });
    expect(await one.step()).toEqual({ records: 0, isMore: false });
    // The last one that is archived is left for `checkLog`.
    expect([log.begin, one.waiting]).toEqual([19, 5]);
    clock.advanceBy(1_000);
    expect(await one.step()).toEqual({ records: 5, isMore: false });
    expect([stretches(), log.begin, one.waiting]).toEqual([['0-9', '10-19', '20-24'], 24, 0]);
    expect(await all()).toEqual(ids(30));
    // What comes later waits as long again.
    at.offset = 27;
    expect(await one.step()).toMatchObject({ records: 0 });
    clock.advanceBy(999);
    expect(await one.step()).toMatchObject({ records: 0 });
    clock.advanceBy(1);
    expect(await one.step()).toMatchObject({ records: 2 });
  });

  it('does not chase the end of a log that grows: what waited is archived, what came meanwhile waits', async () => {
    const at = { offset: 5 };
    await append(0, 30);
    const one = archiver(at);
    await one.step();
    clock.advanceBy(1_000);
    expect(await one.step()).toEqual({ records: 5, isMore: false });
    at.offset = 7;
    expect(await one.step()).toEqual({ records: 0, isMore: false });
  });

  it('cuts a segment that is too large by its bytes, after one record at least', async () => {
    await append(0, 4, 'x'.repeat(6_000));
    await append(4, 6, 'x'.repeat(20_000));
    await append(6, 16);
    const one = archiver({ offset: 16 });
    for (let isMore = true; isMore; ) ({ isMore } = await one.step());
    clock.advanceBy(1_000);
    for (let isMore = true; isMore; ) ({ isMore } = await one.step());
    expect(stretches()).toEqual(['0-1', '2-3', '4-4', '5-5', '6-15']);
  });

  it('has nothing to do before anything is committed', async () => {
    await append(0, 20);
    const one = new LogArchiver({ slice: SLICE, archive, log, clock, random: () => 1, defer: (run) => void setImmediate(run), committed: () => undefined });
    expect(await one.step()).toEqual({ records: 0, isMore: false });
    expect([stretches(), log.begin]).toEqual([[], 0]);
  });

  it('goes on where the archive ends, and trims what another had no time to trim', async () => {
    await append(0, 40);
    log.trim = () => Promise.reject(new PerdureError('unavailable', 'killed'));
    await expect(archiver({ offset: 20 }).step()).rejects.toThrow('killed');
    expect([stretches(), log.begin]).toEqual([['0-9'], 0]);
    log.trim = (offset) => MemoryLog.prototype.trim.call(log, offset);
    const next = archiver({ offset: 20 });
    archive.segments = () => Promise.reject(new PerdureError('unavailable', 'away'));
    expect(next.waiting).toBe(0);
    await expect(next.step()).rejects.toThrow('away');
    // As far as it can know.
    expect(next.waiting).toBe(20);
    archive.segments = (of) => MemoryLogArchive.prototype.segments.call(archive, of);
    await next.step();
    expect([stretches(), log.begin]).toEqual([['0-9', '10-19'], 19]);
    const third = archiver({ offset: 35 });
    await third.step();
    expect([stretches(), log.begin]).toEqual([['0-9', '10-19', '20-29'], 29]);
    expect(await all()).toEqual(ids(40));
  });

  it('trims nothing that the archive has not taken, and tries again', async () => {
    await append(0, 20);
    const one = archiver({ offset: 20 });
    archive.mood = 'refuses';
    await expect(one.step()).rejects.toMatchObject({ retryable: true });
    expect(log.begin).toBe(0);
    archive.mood = 'answers are lost';
    await expect(one.step()).rejects.toMatchObject({ retryable: true });
    expect(log.begin).toBe(0);
    archive.mood = 'fine';
    await one.step();
    expect([stretches(), log.begin]).toEqual([['0-9'], 9]);
  });

  it('trims nothing that the archive does not give back as it was', async () => {
    await append(0, 20);
    archive.mood = 'forgets';
    await expect(archiver({ offset: 20 }).step()).rejects.toThrow('is not what the log has');
    // Nor does the next owner, who finds it there.
    await expect(archiver({ offset: 20 }).step()).rejects.toThrow('not what its name says');
    expect(log.begin).toBe(0);
  });

  it('trims nothing behind a segment that says otherwise than the log', async () => {
    await append(0, 20);
    await archiver({ offset: 20 }).step();
    log.begin = 0;
    log.records[9] = { ...log.records[9]!, id: 'another' };
    await expect(archiver({ offset: 20 }).step()).rejects.toThrow('the log has another there');
    expect(log.begin).toBe(0);
  });

  it('is in nobody\'s way when its owner is a stale one', async () => {
    await append(0, 40);
    const stale = archiver({ offset: 13 });
    const owner = archiver({ offset: 30 });
    await stale.step();
    const sleeper = archiver({ offset: 15 });
    await sleeper.step();
    // Between the owner's put and its trim the stale one puts what is its last.
    log.trim = async () => undefined;
    await owner.step();
    clock.advanceBy(1_000);
    await stale.step();
    log.trim = (offset) => MemoryLog.prototype.trim.call(log, offset);
    clock.advanceBy(1_000);
    for (let isMore = true; isMore; ) ({ isMore } = await owner.step());
    // What they have not archived is archived and gone.
    for (const one of [stale, sleeper, archiver({ offset: 15 })]) for (let times = 0; times < 2; times++) expect(await one.step()).toEqual({ records: 0, isMore: false });
    expect([stretches(), log.begin]).toEqual([['0-9', '10-19', '10-12', '20-29'], 29]);
    expect(await all()).toEqual(ids(40));
    // Whoever comes next knows how far both have come.
    expect(await archiver({ offset: 40 }).step()).toMatchObject({ records: 10 });
    expect(stretches().at(-1)).toBe('30-39');
  });

  it('is not alarmed when another trims what it reads, and goes on behind it', async () => {
    await append(0, 40);
    const owner = archiver({ offset: 40 });
    let isRaced = false;
    const stale = new LogArchiver({
      slice: SLICE, archive, log, clock, random: () => 1, committed: () => ({ identity: 'log-1', offset: 15 }), limits: { segmentRecordsMax: 10 },
      defer: (run) => {
        const race = async (): Promise<void> => {
          while (!isRaced) isRaced = !(await owner.step()).isMore;
          run();
        };
        void race();
      },
    });
    await expect(stale.step()).rejects.toMatchObject({ code: 'unavailable', retryable: true });
    expect(await stale.step()).toEqual({ records: 0, isMore: false });
    expect([stretches(), log.begin]).toEqual([['0-9', '10-19', '20-29', '30-39'], 39]);
  });

  it('does nothing where records are missing between the archive and the log', async () => {
    await append(0, 40);
    await log.trim(15);
    await expect(archiver({ offset: 40 }).step()).rejects.toMatchObject({ message: expect.stringContaining('begins at 14, and the archive has nothing before it'), retryable: false });
    expect([stretches(), log.begin]).toEqual([[], 14]);
    await expect(all()).rejects.toMatchObject({ name: 'LogMismatch' });
  });

  it('does nothing with another log than the one that its owner has read', async () => {
    await append(0, 20);
    await expect(archiver({ offset: 20, identity: 'log-0' }).step()).rejects.toMatchObject({ name: 'LogMismatch' });
    expect([stretches(), log.begin]).toEqual([[], 0]);
  });

  it('never trims what is not committed, though it is archived', async () => {
    await append(0, 20);
    await archiver({ offset: 20 }).step();
    log.begin = 0;
    // The store has been set back.
    await archiver({ offset: 5 }).step();
    expect(log.begin).toBe(4);
  });

  it('can be read whole while it is archived and trimmed', async () => {
    await append(0, 300);
    const read: string[] = [];
    const one = archiver({ offset: 300 });
    for await (const record of wholeLog({ slice: SLICE, archive, log })) {
      read.push(idOf(record));
      // All segments are put, and all is trimmed, while the reader has only the first records from the log.
      if (read.length === 1) for (let isMore = true; isMore; ) ({ isMore } = await one.step());
    }
    expect(read).toEqual(ids(300));
  });

  it('can be read whole where two owners have cut it differently', async () => {
    await append(0, 40);
    const cut = async (first: number, last: number): Promise<void> => {
      const lines = log.records.slice(first, last + 1).map(toLine);
      await archive.put(NAME, { first, last }, toSegmentText(NAME, { first, last }, lines));
    };
    await cut(0, 9);
    await cut(5, 14);
    await cut(12, 19);
    expect(await all()).toEqual(ids(40));
    await archiver({ offset: 30 }).step();
    expect([stretches().at(-1), log.begin]).toEqual(['20-29', 29]);
    expect(await all()).toEqual(ids(40));
  });
});
