import { existsSync, readFileSync } from 'node:fs';
import { endianness } from 'node:os';

const HEADER_BYTES = 48;
const SUMMED_BYTES = 40;
const BYTES_MIN = 100;

/** What the last process that had a database open had committed to its write-ahead log. */
export interface WalIndex {
  /** Of the log's generation, as its own header has it. */
  readonly salt: Buffer;
  readonly frames: number;
  /** So many of them are in the database's file, and synced. */
  readonly copied: number;
}

/**
 * Reads what a process that was killed has left beside its database (https://sqlite.org/walformat.html#the_wal_index_file_format); nothing when it ended in order, or when
 * the power took it. SQLite writes it when a commit's frames are on the disk, so it never claims more than there was.
 *
 * Call it when this process has the database not open: closing any file of it lets go of the locks that SQLite holds there.
 */
export function readWalIndex(databasePath: string): WalIndex | undefined {
  const path = `${databasePath}-shm`;
  if (!existsSync(path)) return undefined;
  const bytes = readFileSync(path);
  if (bytes.length < BYTES_MIN || !bytes.subarray(0, HEADER_BYTES).equals(bytes.subarray(HEADER_BYTES, 2 * HEADER_BYTES))) return undefined;
  // It is this machine's own memory, in its order of bytes.
  const word = (at: number): number => (endianness() === 'BE' ? bytes.readUInt32BE(at) : bytes.readUInt32LE(at));
  const isInitialized = bytes[12] === 1;
  let [s0, s1] = [0, 0];
  for (let at = 0; at < SUMMED_BYTES; at += 8) {
    s0 = (s0 + word(at) + s1) >>> 0;
    s1 = (s1 + word(at + 4) + s0) >>> 0;
  }
  if (!isInitialized || s0 !== word(40) || s1 !== word(44)) return undefined;
  return { salt: bytes.subarray(32, 40), frames: word(16), copied: word(2 * HEADER_BYTES) };
}
