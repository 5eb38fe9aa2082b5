import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import type { HistoryPage } from '@perdure/contract';
import type { StateStore } from '@perdure/history';
import { ShardBench, steps } from '@perdure/history/testing';
import { copyFile, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { FolderLock } from './folder-lock.js';
import { openDatabase, openReader } from './open-database.js';
import { SqliteRunReader } from './run-reader.js';
import { ShardFile } from './shard-file.js';
import { SHARD_SCHEMA } from './shard-schema.js';
import { SqliteStateStore } from './sqlite-state-store.js';

let folder: string;
const opened: { close(): void }[] = [];
const path = (name = 'shard-0.db'): string => join(folder, name);
const openFile = (at = path()): ShardFile => {
  const file = new ShardFile({ path: at });
  opened.push(file);
  return file;
};

beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'perdure-sqlite-'));
});
afterEach(async () => {
  for (const each of opened.splice(0)) each.close();
  await rm(folder, { recursive: true });
});

const thrownBy = (run: () => unknown): unknown => {
  try {
    return run();
  } catch (thrown) {
    return thrown;
  }
};

/** What a power cut would leave: the files as they are, without the goodbyes of a connection that closes. */
async function crashImage(): Promise<string> {
  await copyFile(path(), path('crashed.db'));
  await copyFile(`${path()}-wal`, `${path('crashed.db')}-wal`);
  return path('crashed.db');
}

describe('a shard file', () => {
  it('takes the next epoch each time it is opened, and fences the one before', async () => {
    const first = openFile();
    const store = new SqliteStateStore(first);
    expect(await store.head()).toMatchObject({ epoch: 1 });
    const second = openFile();
    expect(second.epoch).toBe(2);
    await expect(store.head()).rejects.toMatchObject({ fault: 'staleOwner' });
    const late = { shard: 0, epoch: 1, cursor: { from: 0, to: 1 }, transitions: [], runs: [], inputs: [], snapshots: [], snapshotsDropped: [] };
    await expect(store.commit(late)).rejects.toMatchObject({ fault: 'staleOwner' });
  });

  it('takes over what an earlier release kept beside its schema', () => {
    const { migrations, ...schema } = SHARD_SCHEMA;
    const before = openDatabase(path(), { ...schema, migrations: migrations.slice(0, 5) });
    before.exec(`
      create table inbox (number integer primary key, body text not null);
      create table input_try (input text primary key, processes integer not null, epoch integer not null) without rowid;
      create table process_end (id integer primary key check (id = 1), let_go integer not null, calm integer not null);
      create table peer_mark (source text primary key, mark integer not null, seen text not null) without rowid;
      insert into inbox values (7, '{}');
      insert into input_try values ('one', 2, 1);
      insert into peer_mark values ('history/1', 3, '[]');
    `);
    before.close();
    const { db } = openFile();
    expect(db.prepare('select (select number from inbox) as inbox, (select processes from input_try) as tries, (select mark from peer_mark) as mark, (select count(*) from peer_outbox) as sent').get()).toEqual({ inbox: 7, tries: 2, mark: 3, sent: 0 });
  });

  it('syncs each commit to disk', () => {
    const { db } = openFile();
    expect(db.prepare('pragma journal_mode').get()).toEqual({ journal_mode: 'wal' });
    expect(db.prepare('pragma synchronous').get()).toEqual({ synchronous: 2 });
  });

  it('has what was committed, and nothing else, after an abrupt end', async () => {
    const file = openFile();
    file.transaction(() => file.db.exec("insert into bundle_name (hash) values ('kept')"));
    file.db.exec("begin immediate; insert into bundle_name (hash) values ('lost')");
    const image = openFile(await crashImage());
    expect(image.db.prepare('select hash from bundle_name').all()).toEqual([{ hash: 'kept' }]);
    file.db.exec('rollback');
  });

  it('is refused when a newer release wrote it, by name', () => {
    openFile().close();
    const raw = new DatabaseSync(path());
    raw.exec('pragma user_version = 999');
    raw.close();
    expect(() => openFile()).toThrow(/shard-0\.db has shard schema 999.*newer release/);
  });

  it('is refused when it is another shard’s, or no database', async () => {
    openFile().close();
    expect(() => new ShardFile({ path: path(), shard: 3 })).toThrow(/not the file of shard 3/);
    await writeFile(path('junk.db'), 'x'.repeat(9_000));
    expect(thrownBy(() => openFile(path('junk.db')))).toMatchObject({ fault: 'unavailable', message: expect.stringContaining('not a Perdure database') as unknown });
  });

  it('belongs to one data folder: the first that opens it as its own', () => {
    openFile().close();
    const openIn = (folderId: number): void => new ShardFile({ path: path(), folderId }).close();
    openIn(7);
    openIn(7);
    expect(thrownBy(() => openIn(8))).toMatchObject({ fault: 'unavailable', message: `${path()}: the file is of another data folder` });
    openIn(7);
  });

  it('says what is wrong when the disk is full, and works on when there is room again', () => {
    const file = openFile();
    const { page_count: pages } = file.db.prepare('pragma page_count').get() as { page_count: number };
    file.db.exec(`pragma max_page_count = ${pages}`);
    const fill = (): void => file.transaction(() => void file.db.prepare('insert into bundle_name (hash) values (?)').run('x'.repeat(100_000)));
    expect(thrownBy(fill)).toMatchObject({ fault: 'unavailable', retryable: true, message: expect.stringContaining('the disk is full') as unknown });
    file.db.exec('pragma max_page_count = 1000000');
    fill();
    expect(file.db.prepare('select count(*) as n from bundle_name').get()).toEqual({ n: 1 });
  });

  it('rolls back what a writer threw in, and throws it on', () => {
    const file = openFile();
    expect(() => file.transaction(() => {
      file.db.exec("insert into bundle_name (hash) values ('half')");
      throw new Error('mine');
    })).toThrow('mine');
    expect(file.db.prepare('select count(*) as n from bundle_name').get()).toEqual({ n: 0 });
  });
});

describe('a data folder', () => {
  it('has one server at a time', () => {
    const lock = new FolderLock(path('lock.db'), folder);
    expect(() => new FolderLock(path('lock.db'), folder)).toThrow(/Another server has the data folder/);
    lock.release();
    new FolderLock(path('lock.db'), folder).release();
  });
});

describe('a shard on a file', () => {
  const scripts = { five: steps(5) };
  const toBench = async (file: ShardFile): Promise<ShardBench<StateStore>> => ShardBench.open<StateStore>({ scripts, store: new SqliteStateStore(file) });

  it('goes on after an abrupt end from its last commit', async () => {
    const bench = await toBench(openFile());
    await bench.run(bench.start('a', 'five'), bench.closing('a', 1, 1));
    await bench.run(bench.closing('a', 2, 2));
    await bench.processor.process([bench.closing('a', 3, 100)]);
    const after = await toBench(openFile(await crashImage()));
    expect(await after.processor.query({ tenant: 't', workflowId: 'a' }, { name: 'sum', at: 0 })).toEqual({ value: 3 });
    await after.run(bench.closing('a', 3, 3), bench.closing('a', 4, 4), bench.closing('a', 5, 5));
    expect(after.closed).toMatchObject([{ status: 'completed', result: 15 }]);
  });

  it('shows committed runs to a connection that only reads', async () => {
    const bench = await toBench(openFile());
    for (const id of ['a', 'b', 'c']) await bench.run(bench.start(id, 'five', { attributes: { searchAttributes: { city: id === 'c' ? 'Oslo' : 'Kyiv', tags: ['x', id] } } }));
    await bench.run(...[1, 2, 3, 4, 5].map((seq) => bench.closing('a', seq, seq)));
    const reads = openReader(path());
    opened.push(reads);
    const reader = new SqliteRunReader(reads);
    const ids = (query: object): string[] => reader.list('t', { limit: 10, ...query }).runs.map(({ workflowId }) => workflowId);
    expect(ids({})).toEqual(['c', 'b', 'a']);
    expect(ids({ status: 'completed' })).toEqual(['a']);
    expect(ids({ workflowType: 'other' })).toEqual([]);
    expect(ids({ attributes: { city: 'Kyiv' } })).toEqual(['b', 'a']);
    expect(ids({ attributes: { city: 'Kyiv', tags: 'b' } })).toEqual(['b']);
    const page = reader.list('t', { limit: 2 });
    expect(reader.list('t', { limit: 2, cursor: page.next! }).runs.map(({ workflowId }) => workflowId)).toEqual(['a']);
    expect(reader.list('u', { limit: 2 }).runs).toEqual([]);
    expect(thrownBy(() => reader.list('t', { limit: 2, cursor: 'nonsense' }))).toMatchObject({ code: 'invalid-request' });
    const a = { tenant: 't', workflowId: 'a' };
    expect(reader.find(a)).toMatchObject({ status: 'completed', events: 12, searchAttributes: { city: 'Kyiv' } });
    expect(reader.result(a)).toMatchObject({ status: 'completed', result: 15 });
    const all = reader.history(a, { after: 0, limit: 100 })!;
    expect(all.events.map(({ n }) => n)).toEqual([1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12]);
    expect(all.next).toBeUndefined();
    const pages: number[][] = [];
    for (let after: number | undefined = 0; after !== undefined; ) {
      const page: HistoryPage = reader.history(a, { after, limit: 5 })!;
      pages.push(page.events.map(({ n }) => n));
      after = page.next;
    }
    expect(pages).toEqual([[1, 2, 3, 4, 5], [6, 7, 8, 9, 10], [11, 12]]);
    expect(() => reads.exec('delete from run')).toThrow();
  });
});
