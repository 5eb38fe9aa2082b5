import { Buffer } from 'node:buffer';
import type { Stage } from './stage.js';

/** A realm's memory: its difference from the baseline, as records of lines, unless it stands on a stage. */
export class RealmMemory {
  /** Pages that the realm believes to have. */
  pages: number;
  /** The records are its first `length` bytes. */
  records: Buffer = NOTHING;
  length = 0;
  /** False while it is on a stage and has changed since the records were made. */
  isCurrent = true;
  /** A large realm's own. */
  stage: Stage | undefined;

  constructor(pages: number) {
    this.pages = pages;
  }

  dropRecords(buffers: RecordBuffers): void {
    buffers.give(this.records);
    this.records = NOTHING;
    this.length = 0;
    this.isCurrent = false;
  }
}

const NOTHING = Buffer.alloc(0);
const KIB = 1024;
const SIZE_MIN = 16 * KIB;
/** What is larger is not kept: its realm has a stage of its own, or is the exception. */
const SIZE_MAX = 1024 * KIB;
const KEPT_BYTES_MAX = 16 * KIB * KIB;

/** Buffers for records, kept for the next realm: outside of V8's heap, garbage would make it collect all of it. */
export class RecordBuffers {
  /** Bytes of those that realms have. */
  givenBytes = 0;
  readonly #kept = new Map<number, Buffer[]>();
  #keptBytes = 0;

  /** One that holds so many bytes: the given one, if it does. */
  roomFor(length: number, given: Buffer): Buffer {
    if (given.length >= length) return given;
    let size = SIZE_MIN;
    while (size < length) size *= 2;
    const kept = this.#kept.get(size)?.pop();
    // There may be no memory for it: until there is, the given one is the realm's.
    const room = kept ?? Buffer.allocUnsafeSlow(size);
    if (kept !== undefined) this.#keptBytes -= size;
    this.givenBytes += size;
    this.give(given);
    return room;
  }

  give(buffer: Buffer): void {
    this.givenBytes -= buffer.length;
    if (buffer.length === 0 || buffer.length > SIZE_MAX || this.#keptBytes + buffer.length > KEPT_BYTES_MAX) return;
    this.#keptBytes += buffer.length;
    const kept = this.#kept.get(buffer.length);
    if (kept === undefined) this.#kept.set(buffer.length, [buffer]);
    else kept.push(buffer);
  }
}
