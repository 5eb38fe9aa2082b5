import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { copyFile, mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { CheckpointSignal } from './checkpoint-signal.js';
import { Checkpointer, CHECKPOINT_PAGES } from './checkpointer.js';
import { openReader } from './open-database.js';
import { ShardFile } from './shard-file.js';

const ROW_BYTES = 4_000;
const ROWS_PER_WRITE = 500;

let folder: string;
let path: string;
let signal: CheckpointSignal;
let file: ShardFile;
let checkpointer: Checkpointer;

beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'perdure-checkpointer-'));
  path = join(folder, 'shard-0.db');
  signal = new CheckpointSignal();
  file = new ShardFile({ path, checkpoints: signal });
  checkpointer = new Checkpointer({ path, signal });
});
afterEach(async () => {
  checkpointer.close();
  file.close();
  await rm(folder, { recursive: true });
});

const write = (rows = 1): void => file.transaction(() => {
  const insert = file.db.prepare('insert into audit (id, tenant, workflow_id, body) values (?, ?, ?, ?)');
  const { count } = file.db.prepare('select count(*) as count from audit').get() as { count: number };
  for (let row = 0; row < rows; row++) insert.run(`${count + row}`, 'default', 'w', 'x'.repeat(ROW_BYTES));
});
const fill = (): void => {
  while (pages().log < CHECKPOINT_PAGES) write(ROWS_PER_WRITE);
};
const pages = (): { log: number; checkpointed: number } => ({ ...(file.db.prepare('pragma wal_checkpoint(noop)').get() as { log: number; checkpointed: number }) });
/** Sees the file as it is now, until closed: what is written later cannot be copied over that. */
const readerNow = (): { close(): void } => {
  const reader = openReader(path);
  reader.exec('begin; select count(*) from audit');
  return reader;
};
const rowsIn = (at: string): number => {
  const reader = openReader(at);
  const { count } = reader.prepare('select count(*) as count from audit').get() as { count: number };
  reader.close();
  return count;
};

describe('a checkpointer beside the writer', () => {
  it('leaves a short log alone', () => {
    write(ROWS_PER_WRITE);
    expect(checkpointer.run()).toBe(false);
    expect(pages().checkpointed).toBe(0);
  });

  it('copies a long one but for the little that comes meanwhile, and with that the writer begins the log anew', async () => {
    fill();
    expect(pages().checkpointed).toBe(0);
    const reader = readerNow();
    write();
    expect(checkpointer.run()).toBe(true);
    reader.close();
    expect(pages().checkpointed).toBeGreaterThanOrEqual(CHECKPOINT_PAGES);
    expect(pages().checkpointed).toBeLessThan(pages().log);
    write();
    write();
    expect(pages().log).toBeLessThan(20);
    const rows = rowsIn(path);
    await copyFile(path, join(folder, 'cut.db'));
    await copyFile(`${path}-wal`, join(folder, 'cut.db-wal'));
    expect(rowsIn(join(folder, 'cut.db'))).toBe(rows);
  });

  it('does not tell the writer to end what a reader holds up, and goes on when it has read', () => {
    write();
    const reader = readerNow();
    fill();
    expect(checkpointer.run()).toBe(false);
    expect(signal.takeNearlyDone()).toBe(false);
    reader.close();
    expect(checkpointer.run()).toBe(true);
    expect(signal.takeNearlyDone()).toBe(true);
    expect(signal.takeNearlyDone()).toBe(false);
  });

  it('hears of a write, in whichever memory is mapped over the same bytes', async () => {
    const seen = signal.writes;
    let heard = false;
    const hearing = new CheckpointSignal(signal.memory).whenWritesDiffer(seen).then(() => (heard = true));
    expect(heard).toBe(false);
    write();
    await hearing;
    expect(signal.writes).not.toBe(seen);
    await new CheckpointSignal(signal.memory).whenWritesDiffer(seen);
  });

  it('says which file it cannot open', () => {
    expect(() => new Checkpointer({ path: folder, signal })).toThrow(folder);
  });
});
