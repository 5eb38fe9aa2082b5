import type { Instance } from './instance.js';
import { WASM_PAGE_BYTES } from './limits.js';
import { LINE_SHIFT, LINE_WORDS_SHIFT } from './wasm-marks.js';

/**
 * What the interpreter's two allocators hold free. The layouts are those of the one build of the module that is used; every step of a walk
 * is checked, and a walk that finds anything else than it expects ends with nothing.
 *
 * 1. dlmalloc, for 32 bits and without footers: the heap is one row of chunks from its first to `top`, the free rest, which ends `TOP_FOOT`
 *    bytes before the memory does. The word at +4 of a chunk is its size with two flags. Of a free one the word behind it repeats the size;
 *    its first words link it to others.
 * 2. QuickJS takes chunks of about 4 KB from it and divides each into small blocks of one size: an arena. The runtime has a ring of arenas for
 *    each size. An arena is `two links (free) ‖ two links (ring) ‖ u8 size's index ‖ u16 used ‖ u16 blocks ‖ u16 first free ‖ blocks`; a free
 *    block begins with the number of the next one.
 */
const FLAGS = 7;
const IN_USE = 2;
const PREVIOUS_IN_USE = 1;
const HEAD = 4;
const PAYLOAD = 8;
const CHUNK_MIN = 16;
const TOP_FOOT = 56;
/** A free chunk of so many bytes or more is a node of a tree and has more links. */
const TREE_MIN = 256;
const LIST_LINKS_END = 16;
const TREE_LINKS_END = 32;

const RINGS = 40;
const RING_BYTES = 8;
const ARENA = { links: 8, next: 12, sizeIndex: 16, used: 18, blocks: 20, firstFree: 22, head: 24, bytes: 4096 } as const;
const BLOCK_HEAD = 8;
const NO_BLOCK = 0xffff;
const rising = (from: number, to: number, step: number): number[] => Array.from({ length: (to - from) / step + 1 }, (_, index) => from + index * step);
const BLOCK_SIZES: readonly number[] = [...rising(16, 128, 8), ...rising(144, 256, 16), ...rising(288, 512, 32)];

/** Address of the heap's first chunk, of an instance in which nothing has been allocated yet. */
export function heapStartOf({ exports }: Instance): number {
  const first = exports.malloc(CHUNK_MIN);
  exports.free(first);
  return first - PAYLOAD;
}

export interface FreeMemory {
  readonly heapStart: number;
  readonly runtime: number;
  /** Lines from `dataStart` on that are not zero at the baseline: zeroed, they differ from it. */
  readonly written: Uint8Array;
}

/**
 * Zeroes what the allocators hold free: what a realm has thrown away need not be in its snapshot. Code inside cannot tell. Only when both
 * walks find what they expect is anything changed, and marked. False when they did not.
 */
export function zeroFreeMemory(instance: Instance, at: FreeMemory): boolean {
  const { buffer } = instance.exports.memory;
  const memory: Memory = { words: new Int32Array(buffer), halves: new Uint16Array(buffer), bytes: new Uint8Array(buffer), end: instance.pages * WASM_PAGE_BYTES };
  const ranges: number[] = [];
  if (!addFreeChunks(memory, at.heapStart, ranges) || !addFreeBlocks(memory, at.runtime, ranges)) return false;
  const lines: Lines = { words: memory.words, marks: instance.vault.bytes, written: at.written, first: instance.engine.dataStart >> LINE_SHIFT };
  for (let index = 0; index < ranges.length; index += 2) zero(lines, ranges[index]! >> WORD_SHIFT, ranges[index + 1]! >> WORD_SHIFT);
  return true;
}

interface Lines {
  readonly words: Int32Array;
  readonly marks: Uint8Array;
  readonly written: Uint8Array;
  readonly first: number;
}

const WORD_SHIFT = 2;

/** A line that nobody has written to and that was zero is zero. */
const zero = ({ words, marks, written, first }: Lines, from: number, end: number): void => {
  for (let at = from; at < end; ) {
    const line = at >> LINE_WORDS_SHIFT;
    const lineEnd = Math.min(end, (line + 1) << LINE_WORDS_SHIFT);
    if (marks[line] !== 0 || written[line - first] === 1) {
      marks[line] = 1;
      for (; at < lineEnd; at++) words[at] = 0;
    }
    at = lineEnd;
  }
};

interface Memory {
  readonly words: Int32Array;
  readonly halves: Uint16Array;
  readonly bytes: Uint8Array;
  readonly end: number;
}

/** Adds pairs of addresses, first and behind the last; false when this is no sound heap. */
function addFreeChunks({ words, end: memoryEnd }: Memory, heapStart: number, ranges: number[]): boolean {
  const end = memoryEnd - TOP_FOOT;
  let isPreviousUsed = true;
  for (let chunk = heapStart; chunk !== end; ) {
    const head = words[(chunk + HEAD) >> 2]!;
    const size = head & ~FLAGS;
    const next = chunk + size;
    if (size < CHUNK_MIN || next > end || ((head & PREVIOUS_IN_USE) !== 0) !== isPreviousUsed) return false;
    const isUsed = (head & IN_USE) !== 0;
    if (!isUsed) {
      // What is free has no free neighbour, or they would be one.
      if (!isPreviousUsed || (next !== end && words[next >> 2] !== size)) return false;
      const from = chunk + (next === end ? PAYLOAD : size < TREE_MIN ? LIST_LINKS_END : TREE_LINKS_END);
      if (from < next) ranges.push(from, next);
    }
    isPreviousUsed = isUsed;
    chunk = next;
  }
  return true;
}

/** The same of the arenas, each found by its ring; false when a ring is broken or an arena not what it should be. */
function addFreeBlocks(memory: Memory, runtime: number, ranges: number[]): boolean {
  const { words, end } = memory;
  for (let index = 0; index < BLOCK_SIZES.length; index++) {
    const ring = runtime + RINGS + index * RING_BYTES;
    let before = ring;
    for (let links = words[(ring + HEAD) >> 2]!; links !== ring; links = words[(links + HEAD) >> 2]!) {
      const arena = links - ARENA.links;
      if (links % 8 !== 0 || arena < runtime || arena + ARENA.bytes > end || words[links >> 2] !== before) return false;
      if (!addFreeBlocksOf(memory, { arena, index }, ranges)) return false;
      before = links;
    }
    if (words[ring >> 2] !== before) return false;
  }
  return true;
}

function addFreeBlocksOf({ halves, bytes }: Memory, { arena, index }: { readonly arena: number; readonly index: number }, ranges: number[]): boolean {
  const size = BLOCK_SIZES[index]!;
  const count = halves[(arena + ARENA.blocks) >> 1]!;
  if (bytes[arena + ARENA.sizeIndex] !== index || count !== Math.floor((ARENA.bytes - ARENA.head) / size)) return false;
  let free = count - halves[(arena + ARENA.used) >> 1]!;
  for (let block = halves[(arena + ARENA.firstFree) >> 1]!; block !== NO_BLOCK; free--) {
    if (free <= 0 || block >= count) return false;
    const at = arena + ARENA.head + block * size;
    ranges.push(at + BLOCK_HEAD, at + size);
    block = halves[at >> 1]!;
  }
  return free === 0;
}
