import { copyFileSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { ShardFile } from './shard-file.js';

const ROWS = 8;
const HEADER_BYTES = 32;
const FRAME_BYTES = 24 + 4096;

describe('a write-ahead log', () => {
  let folder: string;
  let wal: Buffer;
  const copy = (changed: Buffer): string => {
    const path = join(folder, 'copy.db');
    copyFileSync(join(folder, 'crashed.db'), path);
    rmSync(`${path}-shm`, { force: true });
    writeFileSync(`${path}-wal`, changed);
    return path;
  };
  const rowsIn = (path: string): number => {
    const file = new ShardFile({ path });
    const { rows } = file.db.prepare('select count(*) as rows from bundle_name').get() as { rows: number };
    file.close();
    return rows;
  };
  const flipped = (at: number): Buffer => {
    const changed = Buffer.from(wal);
    changed[at]! ^= 0x10;
    return changed;
  };

  beforeAll(() => {
    folder = mkdtempSync(join(tmpdir(), 'perdure-wal-'));
    const file = new ShardFile({ path: join(folder, 'live.db') });
    file.db.exec('pragma wal_checkpoint(truncate)');
    for (let n = 0; n < ROWS; n++) file.transaction(() => void file.db.prepare('insert into bundle_name (hash) values (?)').run(`h${n}`));
    // As the process's end would leave them.
    copyFileSync(join(folder, 'live.db'), join(folder, 'crashed.db'));
    wal = readFileSync(join(folder, 'live.db-wal'));
    file.close();
  });
  afterAll(() => rmSync(folder, { recursive: true }));

  it('is taken as it is', () => expect(rowsIn(copy(wal))).toBe(ROWS));

  it('is refused by name, whichever byte of it is another, but for the last transactions', () => {
    const frames = Math.floor((wal.length - HEADER_BYTES) / FRAME_BYTES);
    expect(frames).toBeGreaterThanOrEqual(ROWS);
    for (let frame = 0; frame < frames / 2; frame++) {
      for (const within of [0, 5, 9, 13, 17, 21, 24, 700, FRAME_BYTES - 1]) expect(() => rowsIn(copy(flipped(HEADER_BYTES + frame * FRAME_BYTES + within)))).toThrow(/copy\.db-wal: the file is damaged at byte \d+/);
    }
  });

  it('may have frames of an earlier log behind its own', () => {
    const path = join(folder, 'twice.db');
    const file = new ShardFile({ path });
    for (let n = 0; n < ROWS; n++) file.transaction(() => void file.db.prepare('insert into bundle_name (hash) values (?)').run(`a${n}`));
    file.db.exec('pragma wal_checkpoint(restart)');
    file.transaction(() => void file.db.prepare("insert into bundle_name (hash) values ('last')").run());
    const again = join(folder, 'again.db');
    copyFileSync(path, again);
    copyFileSync(`${path}-wal`, `${again}-wal`);
    expect(readFileSync(`${again}-wal`).length).toBeGreaterThan(HEADER_BYTES + ROWS * FRAME_BYTES);
    expect(rowsIn(again)).toBe(ROWS + 1);
    file.close();
  });

  it('ends where a power cut left it: in a frame that is half there, or wrong, with nothing after it', () => {
    expect(rowsIn(copy(Buffer.concat([wal, wal.subarray(HEADER_BYTES, HEADER_BYTES + 2_000)])))).toBe(ROWS);
    expect(rowsIn(copy(wal.subarray(0, wal.length - 2_000)))).toBe(ROWS - 1);
    expect(rowsIn(copy(flipped(wal.length - 100)))).toBe(ROWS - 1);
  });
});
