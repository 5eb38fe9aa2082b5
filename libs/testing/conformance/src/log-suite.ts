import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import type { ExternalEvent, Input } from '@perdure/contract';
import { checkLog, type Log, type LogEntry, type LogRecord, type SliceName } from '@perdure/delivery';

export interface MadeLog {
  readonly slice: SliceName;
  readonly log: Log;
  /** As another process would open it. What holds for logs in memory: the same log. */
  reopen(): Promise<Log>;
  /** The log is deleted and one made anew under its name; as another process opens that one. */
  remake(): Promise<Log>;
  /** Loses its tail, as a disk would that had promised too much. Not every log can be made to. */
  readonly cut?: (end: number) => void;
  close(): Promise<void>;
}

export const inputOf = (id: string, payload = ''): Input => ({ id, tenant: 't', workflowId: 'w', at: 1, kind: 'signal', name: 's', input: payload });
export const entryOf = (id: string, payload?: string): LogEntry => ({ body: { kind: 'input', input: inputOf(id, payload) } });
export const idOf = ({ body }: LogEntry): string => (body.kind === 'input' ? body.input.id : body.event.id);

/** All from `offset` on that is there now. */
export async function readAll(log: Log, offset = 0): Promise<LogRecord[]> {
  const { end } = await log.describe();
  const records: LogRecord[] = [];
  while (offset < end) {
    const found = await log.read(offset, 100);
    if (found.length === 0) throw new Error(`Nothing at ${offset} of ${end}.`);
    records.push(...found);
    offset = found.at(-1)!.offset + 1;
  }
  return records;
}

/** As an owner does: reads on whenever it is told to, until `isEnough`. */
export function follow(log: Log, { from = 0, isEnough }: { readonly from?: number; readonly isEnough: (records: readonly LogRecord[]) => boolean }): Promise<readonly LogRecord[]> {
  return new Promise((resolve, reject) => {
    const records: LogRecord[] = [];
    let turns = Promise.resolve();
    const turn = async (): Promise<void> => {
      for (let isMore = true; isMore && !isEnough(records); ) {
        const found = await log.read((records.at(-1)?.offset ?? from - 1) + 1, 64);
        records.push(...found);
        isMore = found.length > 0;
      }
      if (!isEnough(records)) return;
      stop();
      resolve(records);
    };
    const kick = (): void => {
      turns = turns.then(turn).catch(reject);
    };
    const stop = log.onAppend(kick);
    kick();
  });
}

export function logSuite(name: string, make: () => Promise<MadeLog>): void {
  describe(`Log: ${name}`, () => {
    let made: MadeLog;
    beforeEach(async () => {
      made = await make();
    });
    afterEach(() => made.close());
    const given = (): MadeLog => made;

    keepsRecords(given);
    keepsOrder(given);
    tellsReaders(given);
    describe('checkLog', () => knowsWhichItIs(given));
  });
}

function keepsRecords(given: () => MadeLog): void {
  it('is empty at first, and the same log for everyone', async () => {
    const { identity, end } = await given().log.describe();
    expect(end).toBe(0);
    expect(await given().log.read(0, 10)).toEqual([]);
    expect((await (await given().reopen()).describe()).identity).toBe(identity);
  });

  it('gives back what was appended, in order, numbered from 0, each under an id of its own', async () => {
    const event: ExternalEvent = { id: 'e', tenant: 't', source: 'shop', type: 'paid', time: 5, data: { sum: 'ß €' }, keys: {} };
    const entries: LogEntry[] = [{ origin: { source: 'scheduler/3', number: 7, mark: 5 }, ...entryOf('a') }, entryOf('b'), { body: { kind: 'event', event, at: 9 } }];
    await given().log.append(entries.slice(0, 2));
    await given().log.append(entries.slice(2));
    const records = await (await given().reopen()).read(0, 10);
    expect(records.map(({ offset: _offset, id: _id, ...entry }) => entry)).toEqual(entries);
    expect(records.map(({ offset }) => offset)).toEqual([0, 1, 2]);
    expect(new Set(records.map(({ id }) => id)).size).toBe(3);
    expect((await given().log.describe()).end).toBe(3);
  });

  it('gives the same records under the same ids again', async () => {
    await given().log.append([entryOf('a'), entryOf('b'), entryOf('c')]);
    const first = await given().log.read(0, 10);
    expect(await given().log.read(0, 10)).toEqual(first);
    expect(await given().log.read(1, 10)).toEqual(first.slice(1));
    expect(await given().log.read(0, 10)).toEqual(first);
    expect(await (await given().reopen()).read(0, 10)).toEqual(first);
  });

  it('gives no more than it is asked for, and nothing at its end', async () => {
    await given().log.append([entryOf('a'), entryOf('b'), entryOf('c')]);
    expect((await given().log.read(1, 1)).map(idOf)).toEqual(['b']);
    expect((await given().log.read(2, 5)).map(idOf)).toEqual(['c']);
    expect(await given().log.read(3, 5)).toEqual([]);
    await given().log.append([]);
    expect((await given().log.describe()).end).toBe(3);
  });

  it('ends behind what it has acknowledged, whoever asks, and lets it be read at once', async () => {
    const other = await given().reopen();
    for (let index = 0; index < 20; index += 1) {
      await given().log.append([entryOf(`i${index}`)]);
      expect((await other.describe()).end).toBe(index + 1);
      expect((await other.read(index, 10)).map(idOf)).toEqual([`i${index}`]);
      expect((await given().log.read(index, 10)).map(idOf)).toEqual([`i${index}`]);
    }
  });

  it('takes the largest payload there is', async () => {
    const payload = '€'.repeat(700_000);
    await given().log.append([entryOf('small'), entryOf('large', payload), entryOf('after')]);
    const records = await readAll(await given().reopen());
    expect(records.map(idOf)).toEqual(['small', 'large', 'after']);
    expect(records[1]!.body).toEqual(entryOf('large', payload).body);
  });
}

function keepsOrder(given: () => MadeLog): void {
  it('keeps the order of appends that are made without waiting', async () => {
    const ids = Array.from({ length: 300 }, (_, index) => `i${index}`);
    await Promise.all(ids.map((id) => given().log.append([entryOf(id)])));
    expect((await readAll(given().log)).map(idOf)).toEqual(ids);
  });

  it('has each of many concurrent appends once, whole and in its order', async () => {
    const other = await given().reopen();
    const appends = Array.from({ length: 200 }, (_, index) => [`${index}/a`, `${index}/b`, `${index}/c`]);
    await Promise.all(appends.map((ids, index) => (index % 2 === 0 ? given().log : other).append(ids.map((id) => entryOf(id)))));
    const found = (await readAll(given().log)).map(idOf);
    expect([...found].sort()).toEqual(appends.flat().sort());
    for (const ids of appends) expect(found.slice(found.indexOf(ids[0]!), found.indexOf(ids[0]!) + 3)).toEqual(ids);
  });
}

function tellsReaders(given: () => MadeLog): void {
  it('says when there is more to read, until it is told to stop', async () => {
    const reader = await given().reopen();
    let isLate = false;
    const stopped = reader.onAppend(() => (isLate = true));
    stopped();
    // It may be told more than once: it looks each time.
    const followed = follow(reader, { isEnough: ({ length }) => length > 0 });
    await given().log.append([entryOf('a')]);
    expect((await followed).map(idOf)).toEqual(['a']);
    expect(isLate).toBe(false);
  });

  it('misses nobody who reads on whenever it says so', async () => {
    const reader = await given().reopen();
    const count = 2_000;
    const followed = follow(reader, { isEnough: ({ length }) => length >= count });
    const appenders = Array.from({ length: 10 }, async (_, appender) => {
      for (let index = 0; index < count / 10; index += 1) await given().log.append([entryOf(`${appender}/${index}`)]);
    });
    await Promise.all(appenders);
    const records = await followed;
    expect(records.map(({ offset }) => offset)).toEqual(records.map((_, index) => index));
    for (let appender = 0; appender < 10; appender += 1) {
      expect(records.map(idOf).filter((id) => id.startsWith(`${appender}/`))).toEqual(Array.from({ length: count / 10 }, (_, index) => `${appender}/${index}`));
    }
  });

  it('lets one begin anywhere, and back', async () => {
    await given().log.append(Array.from({ length: 50 }, (_, index) => entryOf(`i${index}`)));
    const reader = await given().reopen();
    const stop = reader.onAppend(() => undefined);
    expect((await reader.read(40, 2)).map(idOf)).toEqual(['i40', 'i41']);
    expect((await reader.read(10, 2)).map(idOf)).toEqual(['i10', 'i11']);
    expect(await reader.read(50, 2)).toEqual([]);
    expect((await reader.read(0, 1)).map(idOf)).toEqual(['i0']);
    stop();
  });
}

function knowsWhichItIs(given: () => MadeLog): void {
  const positionAfter = async (count: number): Promise<Awaited<ReturnType<typeof checkLog>>> => {
    const [last] = await given().log.read(count - 1, 1);
    return { identity: (await given().log.describe()).identity, offset: count, lastId: last!.id };
  };

  it('begins at 0, and goes on where the position is', async () => {
    expect(await checkLog(given().slice, given().log, undefined)).toMatchObject({ offset: 0 });
    await given().log.append([entryOf('a'), entryOf('b')]);
    const position = await positionAfter(1);
    expect(await checkLog(given().slice, await given().reopen(), position)).toEqual(position);
  });

  it('refuses a log that was made anew, also when it has grown as long', async () => {
    await given().log.append([entryOf('a'), entryOf('b')]);
    const position = await positionAfter(2);
    const anew = await given().remake();
    expect((await anew.describe()).identity).not.toBe(position.identity);
    await expect(checkLog(given().slice, anew, position)).rejects.toMatchObject({ name: 'LogMismatch' });
    await anew.append([entryOf('a'), entryOf('b')]);
    await expect(checkLog(given().slice, anew, position)).rejects.toMatchObject({ name: 'LogMismatch' });
    // Whatever it is called: its records are others.
    await expect(checkLog(given().slice, anew, { ...position, identity: (await anew.describe()).identity })).rejects.toMatchObject({ name: 'LogMismatch' });
  });

  it('refuses a log that is shorter than what was read, or has another record there', async () => {
    await given().log.append([entryOf('a'), entryOf('b')]);
    const position = await positionAfter(2);
    await expect(checkLog(given().slice, given().log, { ...position, offset: 3 })).rejects.toMatchObject({ name: 'LogMismatch' });
    await expect(checkLog(given().slice, given().log, { ...position, lastId: 'another' })).rejects.toMatchObject({ name: 'LogMismatch' });
    await expect(checkLog(given().slice, given().log, { ...position, identity: 'another' })).rejects.toMatchObject({ name: 'LogMismatch' });
    const { cut } = given();
    if (!cut) return;
    cut(1);
    await expect(checkLog(given().slice, given().log, position)).rejects.toMatchObject({ name: 'LogMismatch' });
  });
}
