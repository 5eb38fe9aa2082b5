import { existsSync, readFileSync } from 'node:fs';
import { StoreFault } from '@perdure/history';
import { readWalIndex } from './wal-index.js';

const HEADER_BYTES = 32;
const FRAME_HEADER_BYTES = 24;
const MAGIC = 0x377f0682;
const PAGE_BYTES_MIN = 512;
const PAGE_BYTES_MAX = 65_536;

/**
 * Whether the write-ahead log of a database was damaged where it had been durable (https://sqlite.org/fileformat2.html#the_write_ahead_log).
 *
 * SQLite takes the first frame whose sums are wrong for the end of the log, as it must: a power cut leaves such frames. But a transaction is written only when the
 * one before it is on the disk. So when two commits follow the first wrong frame, that frame was once right, and what SQLite would pass over was acknowledged.
 *
 * @throws StoreFault that names the file. Damage to the last transaction looks like one that was never finished, and passes.
 */
export function checkWal(databasePath: string): void {
  const path = `${databasePath}-wal`;
  const at = damageIn(path);
  // Another process may be writing the log as it is read: what is damaged is so the second time too.
  if (at !== undefined && damageIn(path) === at) throw new StoreFault('unavailable', `${path}: the file is damaged at byte ${at}, amid what was committed`);
}

/**
 * The same, against what a killed process has left in memory that outlives it: that tells the last transactions too, and a log that is cut off or gone.
 *
 * Call it before this process opens the database (see `readWalIndex`). @throws StoreFault that names the file
 */
export function checkWalWhole(databasePath: string): void {
  const index = readWalIndex(databasePath);
  if (!index) return;
  const path = `${databasePath}-wal`;
  const isThere = existsSync(path);
  const wal = isThere ? readFileSync(path) : Buffer.alloc(0);
  const isWhole = hasWholeHeader(wal);
  // Another generation's: the power went, and memory that was written back is older than the log.
  if (isWhole && !index.salt.equals(wal.subarray(16, 24))) return;
  const end = isWhole ? (firstWrongFrame(wal) ?? lastFrameEnd(wal)) : HEADER_BYTES;
  const frames = isWhole ? (end - HEADER_BYTES) / frameBytes(wal) : 0;
  // Nothing is taken of a log without a whole frame; with some of them, SQLite would put old pages over newer ones.
  if (frames >= index.frames || (frames === 0 && index.copied >= index.frames)) return;
  throw new StoreFault('unavailable', isThere ? `${path}: the file is damaged at byte ${end}, amid what was committed` : `${path}: the file is gone, and what was committed with it`);
}

function damageIn(path: string): number | undefined {
  if (!existsSync(path)) return undefined;
  const wal = readFileSync(path);
  if (wal.length < HEADER_BYTES) return undefined;
  if (!hasWholeHeader(wal)) return isFollowed(wal) ? 0 : undefined;
  const end = firstWrongFrame(wal);
  return end !== undefined && commitsFrom(wal, end) > 1 ? end : undefined;
}

function hasWholeHeader(wal: Buffer): boolean {
  if (wal.length < HEADER_BYTES || (wal.readUInt32BE(0) & ~1) >>> 0 !== MAGIC) return false;
  const [s0, s1] = sumOf(wal.subarray(0, 24), [0, 0], isBigIn(wal));
  return s0 === wal.readUInt32BE(24) && s1 === wal.readUInt32BE(28);
}

/** A header's sums go on in the first frame, which is written when the header is on the disk. So if the frame follows from what is left of it, the header was whole once. */
function isFollowed(wal: Buffer): boolean {
  for (let page = PAGE_BYTES_MIN; page <= PAGE_BYTES_MAX && HEADER_BYTES + FRAME_HEADER_BYTES + page <= wal.length; page *= 2) {
    for (const isBig of [false, true]) {
      for (const seed of [[wal.readUInt32BE(24), wal.readUInt32BE(28)], sumOf(wal.subarray(0, 24), [0, 0], isBig)] as const) {
        const [s0, s1] = frameSums(wal, { at: HEADER_BYTES, size: FRAME_HEADER_BYTES + page, sums: seed, isBig });
        if (s0 === wal.readUInt32BE(HEADER_BYTES + 16) && s1 === wal.readUInt32BE(HEADER_BYTES + 20)) return true;
      }
    }
  }
  return false;
}

const frameBytes = (wal: Buffer): number => FRAME_HEADER_BYTES + wal.readUInt32BE(8);

const isBigIn = (wal: Buffer): boolean => (wal.readUInt32BE(0) & 1) === 1;

const lastFrameEnd = (wal: Buffer): number => wal.length - ((wal.length - HEADER_BYTES) % frameBytes(wal));

/** Where the chain of sums breaks. */
function firstWrongFrame(wal: Buffer): number | undefined {
  const size = frameBytes(wal);
  const isBig = isBigIn(wal);
  let sums: Sums = [wal.readUInt32BE(24), wal.readUInt32BE(28)];
  for (let at = HEADER_BYTES; at + size <= wal.length; at += size) {
    if (!isOfGeneration(wal, at)) return at;
    sums = frameSums(wal, { at, size, sums, isBig });
    if (sums[0] !== wal.readUInt32BE(at + 16) || sums[1] !== wal.readUInt32BE(at + 20)) return at;
  }
  return undefined;
}

const frameSums = (wal: Buffer, { at, size, sums, isBig }: { readonly at: number; readonly size: number; readonly sums: Sums; readonly isBig: boolean }): Sums =>
  sumOf(wal.subarray(at + FRAME_HEADER_BYTES, at + size), sumOf(wal.subarray(at, at + 8), sums, isBig), isBig);

/** Frames of an earlier log lie behind those of this one; their salt is another. */
const isOfGeneration = (wal: Buffer, at: number): boolean => wal.compare(wal, 16, 24, at + 8, at + 16) === 0;

/** Of this log's generation; a frame that ends a transaction tells the database's size. */
function commitsFrom(wal: Buffer, from: number): number {
  const size = frameBytes(wal);
  let commits = 0;
  for (let at = from; at + size <= wal.length; at += size) if (isOfGeneration(wal, at) && wal.readUInt32BE(at + 4) !== 0) commits += 1;
  return commits;
}

type Sums = readonly [number, number];

function sumOf(bytes: Buffer, [first, second]: Sums, isBig: boolean): Sums {
  let [s0, s1] = [first, second];
  for (let at = 0; at < bytes.length; at += 8) {
    s0 = (s0 + (isBig ? bytes.readUInt32BE(at) : bytes.readUInt32LE(at)) + s1) >>> 0;
    s1 = (s1 + (isBig ? bytes.readUInt32BE(at + 4) : bytes.readUInt32LE(at + 4)) + s0) >>> 0;
  }
  return [s0, s1];
}
