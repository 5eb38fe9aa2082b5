import { LINE_BYTES, LINE_WORDS_SHIFT } from './wasm-marks.js';

const WORD_BYTES = 4;
/** Four lines, whose marks are one word. */
const PIECE_BYTES = 256;
const PIECE_WORDS = PIECE_BYTES / WORD_BYTES;
const VARINT_BYTES_MAX = 5;
const MORE = 0x80;

/**
 * What a delta is made in, kept for the next one: a thread makes hundreds a second, and memory outside of V8's heap, though it is garbage at once,
 * makes it collect the whole heap when there is much of it.
 */
const scratch = { runs: Buffer.alloc(0), words: new Int32Array(0), delta: Buffer.alloc(0) };

/**
 * How a memory differs from another that may be shorter and then counts as zeros; both are whole blocks. Runs of words that differ, each as
 * the number of words that it lies behind the end of the run before, its length and its words XORed with the other's.
 * `length of the runs' part (u32) ‖ (gap, length)… as varints ‖ zeros up to a word's boundary ‖ words…`: apart, since they compress better so.
 *
 * `marks` has a byte for each line of the memory; it is looked at only where they are not zero. What is returned lasts until the next call.
 */
export function deltaOf(memory: Buffer, base: Buffer, marks: Buffer): Buffer {
  const pieces = markedPieces(memory.length, marks);
  const { runs, words } = roomFor(pieces.length * PIECE_WORDS);
  const of = wordsOf(memory);
  let runsEnd = 0;
  let wordsEnd = 0;
  let lastEnd = 0;
  for (const piece of pieces) {
    const inBase = piece < base.length;
    const from = inBase ? wordsOf(base) : ZERO_WORDS;
    const start = piece / WORD_BYTES;
    const shift = inBase ? 0 : -start;
    for (let at = start; at < start + PIECE_WORDS; at++) {
      if (of[at] === from[at + shift]) continue;
      const runStart = at;
      for (; at < start + PIECE_WORDS && of[at] !== from[at + shift]; at++) words[wordsEnd++] = of[at]! ^ from[at + shift]!;
      runsEnd = writeVarint(runs, runsEnd, runStart - lastEnd);
      runsEnd = writeVarint(runs, runsEnd, at - runStart);
      lastEnd = at;
    }
  }
  return assemble(runs.subarray(0, runsEnd), words.subarray(0, wordsEnd));
}

/** Room for so many words that differ, and for the runs that they are in. */
function roomFor(words: number): { readonly runs: Buffer; readonly words: Int32Array } {
  if (scratch.words.length < words) {
    scratch.words = new Int32Array(words);
    // At worst each second word differs, in a run of its own.
    scratch.runs = Buffer.alloc(words * VARINT_BYTES_MAX);
  }
  return scratch;
}

function assemble(runs: Buffer, words: Int32Array): Buffer {
  const wordsAt = toBoundary(WORD_BYTES + runs.length);
  const length = wordsAt + words.byteLength;
  if (scratch.delta.length < length) scratch.delta = Buffer.alloc(length);
  const delta = scratch.delta.subarray(0, length);
  delta.writeUInt32LE(runs.length);
  delta.fill(0, WORD_BYTES + runs.length, wordsAt);
  delta.set(runs, WORD_BYTES);
  delta.set(new Uint8Array(words.buffer, words.byteOffset, words.byteLength), wordsAt);
  return delta;
}

const toBoundary = (bytes: number): number => Math.ceil(bytes / WORD_BYTES) * WORD_BYTES;

/** Makes of the other memory the one that differed from it so, and marks where it was changed. */
export function applyDelta(memory: Buffer, delta: Buffer, marks: Buffer): void {
  const runsEnd = WORD_BYTES + delta.readUInt32LE();
  const words = wordsOf(aligned(delta.subarray(toBoundary(runsEnd))));
  const to = wordsOf(memory);
  let at = 0;
  let word = 0;
  for (let p = WORD_BYTES; p < runsEnd; ) {
    const gap = readVarint(delta, p);
    const length = readVarint(delta, gap.next);
    p = length.next;
    at += gap.value;
    const end = at + length.value;
    marks.fill(1, at >> LINE_WORDS_SHIFT, ((end - 1) >> LINE_WORDS_SHIFT) + 1);
    for (; at < end; at++) to[at]! ^= words[word++]!;
  }
}

/** Words must lie on word boundaries: what does not is copied. */
const aligned = (bytes: Buffer): Buffer => (bytes.byteOffset % WORD_BYTES === 0 ? bytes : Buffer.from(Uint8Array.prototype.slice.call(bytes).buffer));

/** Where pieces with a mark begin. */
function markedPieces(length: number, marks: Buffer): number[] {
  const pieces: number[] = [];
  const words = wordsOf(marks.subarray(0, length / LINE_BYTES));
  for (let piece = 0; piece < length / PIECE_BYTES; piece++) if (words[piece] !== 0) pieces.push(piece * PIECE_BYTES);
  return pieces;
}

const wordsOf = (bytes: Buffer): Int32Array => new Int32Array(bytes.buffer, bytes.byteOffset, bytes.length / WORD_BYTES);
/** A piece of zeros. */
const ZERO_WORDS = new Int32Array(PIECE_WORDS);

function writeVarint(bytes: Buffer, at: number, value: number): number {
  let rest = value;
  let to = at;
  for (; rest >= MORE; rest >>>= 7) bytes[to++] = (rest & (MORE - 1)) | MORE;
  bytes[to++] = rest;
  return to;
}

function readVarint(bytes: Buffer, at: number): { readonly value: number; readonly next: number } {
  let value = 0;
  let from = at;
  for (let shift = 0; ; shift += 7) {
    const byte = bytes[from++]!;
    value |= (byte & (MORE - 1)) << shift;
    if (byte < MORE) return { value, next: from };
  }
}
