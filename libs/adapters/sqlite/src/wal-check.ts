import { existsSync, readFileSync } from 'node:fs';
import { StoreFault } from '@perdure/history';

const HEADER_BYTES = 32;
const FRAME_HEADER_BYTES = 24;
const MAGIC = 0x377f0682;

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

function damageIn(path: string): number | undefined {
  if (!existsSync(path)) return undefined;
  const wal = readFileSync(path);
  if (wal.length < HEADER_BYTES || (wal.readUInt32BE(0) & ~1) >>> 0 !== MAGIC) return undefined;
  const end = firstWrongFrame(wal);
  return end !== undefined && commitsFrom(wal, end) > 1 ? end : undefined;
}

const frameBytes = (wal: Buffer): number => FRAME_HEADER_BYTES + wal.readUInt32BE(8);

/** Where the chain of sums breaks; nothing when the header's own are wrong, for then the log is of no generation. */
function firstWrongFrame(wal: Buffer): number | undefined {
  const size = frameBytes(wal);
  const isBig = (wal.readUInt32BE(0) & 1) === 1;
  let sums = sumOf(wal.subarray(0, 24), [0, 0], isBig);
  if (sums[0] !== wal.readUInt32BE(24) || sums[1] !== wal.readUInt32BE(28)) return undefined;
  for (let at = HEADER_BYTES; at + size <= wal.length; at += size) {
    if (!isOfGeneration(wal, at)) return at;
    sums = sumOf(wal.subarray(at + FRAME_HEADER_BYTES, at + size), sumOf(wal.subarray(at, at + 8), sums, isBig), isBig);
    if (sums[0] !== wal.readUInt32BE(at + 16) || sums[1] !== wal.readUInt32BE(at + 20)) return at;
  }
  return undefined;
}

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
