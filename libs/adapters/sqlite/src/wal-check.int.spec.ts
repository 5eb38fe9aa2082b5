import { copyFileSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { ShardFile } from './shard-file.js';
import { checkWalWhole } from './wal-check.js';

const ROWS = 8;
const HEADER_BYTES = 32;
const FRAME_BYTES = 24 + 4096;

describe('a write-ahead log', () => {
  let folder: string;
  let wal: Buffer;
  let index: Buffer;
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
    index = readFileSync(join(folder, 'live.db-shm'));
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

  it('is refused by name, whichever byte of its header is another', () => {
    for (let at = 0; at < HEADER_BYTES; at++) expect(() => rowsIn(copy(flipped(at)))).toThrow(/copy\.db-wal: the file is damaged at byte 0,/);
  });

  describe('of a process that was killed', () => {
    const check = (changed: Buffer | undefined, left = index): void => {
      const path = copy(changed ?? wal);
      writeFileSync(`${path}-shm`, left);
      if (!changed) rmSync(`${path}-wal`);
      checkWalWhole(path);
    };
    /** As when all of it is in the database's file. */
    const copied = (): Buffer => {
      const left = Buffer.from(index);
      left.copy(left, 96, 16, 20);
      return left;
    };

    it('is taken as it is, with or without the beginning of another transaction', () => {
      expect(() => check(wal)).not.toThrow();
      expect(() => check(Buffer.concat([wal, wal.subarray(HEADER_BYTES, HEADER_BYTES + 2_000)]))).not.toThrow();
    });

    it('is refused by name wherever it is cut off or another, and when it is gone', () => {
      for (let length = 0; length < wal.length; length += 509) expect(() => check(wal.subarray(0, length))).toThrow(/copy\.db-wal: the file is damaged at byte \d+/);
      for (let at = 0; at < wal.length; at += 251) expect(() => check(flipped(at))).toThrow(/copy\.db-wal: the file is damaged at byte \d+/);
      expect(() => check(undefined)).toThrow(/copy\.db-wal: the file is gone/);
    });

    it('is not missed when all of it is in the database', () => {
      expect(() => check(undefined, copied())).not.toThrow();
      expect(() => check(Buffer.alloc(0), copied())).not.toThrow();
      expect(() => check(wal.subarray(0, wal.length / 2), copied())).toThrow(/damaged/);
    });

    it('is believed when what was left is older, damaged or nothing', () => {
      const older = Buffer.from(index);
      older.fill(0, 0, 96);
      for (const left of [older, Buffer.alloc(0), index.subarray(0, 90), Buffer.from(index).fill(7, 16, 20)]) expect(() => check(wal.subarray(0, wal.length / 2), left)).not.toThrow();
    });
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
