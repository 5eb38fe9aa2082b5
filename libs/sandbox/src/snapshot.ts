import assert from 'node:assert/strict';
import { createHmac, timingSafeEqual } from 'node:crypto';
import { zstdCompressSync, zstdDecompressSync, constants } from 'node:zlib';
import type { Baseline } from './baseline.js';
import type { Instance } from './instance.js';
import { BLOCK_BYTES, WASM_PAGE_BYTES } from './limits.js';

const WORD_BYTES = 4;
const TAG_BYTES = 32;
const VERSION = 2;

/** Why a snapshot does not serve (I7); `corrupt`: damaged, cut, of another format or authenticated with another key. */
export type SnapshotRejection = 'other-build' | 'other-bundle' | 'other-baseline' | 'corrupt';

/**
 * `tag ‖ version ‖ head length ‖ head ‖ zstd(pages ‖ block count ‖ block numbers ‖ blocks)`: the realm's memory as its difference from
 * the baseline. Each block is XORed with the baseline's, so that what did not change is zeros. The tag covers all that follows it; the
 * head names what the image fits.
 */
export function takeSnapshot(instance: Instance, baseline: Baseline, key: Uint8Array): Uint8Array {
  const size = instance.pages * WASM_PAGE_BYTES - instance.engine.dataStart;
  const memory = instance.bytes.subarray(instance.engine.dataStart, instance.engine.dataStart + size);
  const differing: number[] = [];
  for (let at = 0; at < size; at += BLOCK_BYTES) {
    if (!isSame(memory, baseline.image, at)) differing.push(at / BLOCK_BYTES);
  }
  const delta = Buffer.alloc(8 + differing.length * (4 + BLOCK_BYTES));
  delta.writeUInt32LE(instance.pages, 0);
  delta.writeUInt32LE(differing.length, 4);
  for (const [index, block] of differing.entries()) delta.writeUInt32LE(block, 8 + index * 4);
  for (const [index, block] of differing.entries()) {
    const to = 8 + differing.length * 4 + index * BLOCK_BYTES;
    memory.copy(delta, to, block * BLOCK_BYTES, (block + 1) * BLOCK_BYTES);
    xorWithBaseline(delta.subarray(to, to + BLOCK_BYTES), baseline.image, block);
  }
  const body = zstdCompressSync(delta, { params: { [constants.ZSTD_c_compressionLevel]: 1 } });
  const signed = Buffer.concat([headOf(instance.engine.build, baseline), body]);
  return Buffer.concat([tagOf(key, signed), signed]);
}

/** Why the image does not fit; `undefined` when it does. */
export function rejectionOf(image: Uint8Array, expected: { readonly build: string; readonly baseline: Baseline; readonly key: Uint8Array }): SnapshotRejection | undefined {
  const { tag, signed } = partsOf(image);
  if (tag.length < TAG_BYTES || !timingSafeEqual(tag, tagOf(expected.key, signed)) || signed[0] !== VERSION) return 'corrupt';
  const [build, bundle, hash] = signed.toString('utf8', 3, 3 + signed.readUInt16LE(1)).split('\0');
  if (build !== expected.build) return 'other-build';
  if (bundle !== expected.baseline.bundleHash) return 'other-bundle';
  return hash === expected.baseline.hash ? undefined : 'other-baseline';
}

/** Puts the image, which must fit, into an instance that stands at the baseline. */
export function applySnapshot(instance: Instance, baseline: Baseline, image: Uint8Array): void {
  const { signed } = partsOf(image);
  const delta = zstdDecompressSync(signed.subarray(3 + signed.readUInt16LE(1)), { maxOutputLength: 2 * instance.engine.maximumPages * WASM_PAGE_BYTES });
  const pages = delta.readUInt32LE(0);
  const count = delta.readUInt32LE(4);
  instance.reserve(pages);
  instance.pages = pages;
  for (let index = 0; index < count; index++) {
    const block = delta.readUInt32LE(8 + index * 4);
    const from = 8 + count * 4 + index * BLOCK_BYTES;
    const bytes = delta.subarray(from, from + BLOCK_BYTES);
    xorWithBaseline(bytes, baseline.image, block);
    bytes.copy(instance.bytes, instance.engine.dataStart + block * BLOCK_BYTES);
  }
}

function headOf(build: string, { bundleHash, hash }: Baseline): Buffer {
  const names = Buffer.from(`${build}\0${bundleHash}\0${hash}`);
  const head = Buffer.alloc(3);
  head[0] = VERSION;
  head.writeUInt16LE(names.length, 1);
  return Buffer.concat([head, names]);
}

function partsOf(image: Uint8Array): { tag: Buffer; signed: Buffer } {
  const bytes = Buffer.from(image.buffer, image.byteOffset, image.byteLength);
  return { tag: bytes.subarray(0, TAG_BYTES), signed: bytes.subarray(TAG_BYTES) };
}

const tagOf = (key: Uint8Array, signed: Buffer): Buffer => createHmac('sha256', key).update(signed).digest();

/** Beyond the image's end the baseline is zeros. */
function xorWithBaseline(bytes: Buffer, image: Buffer, block: number): void {
  if (block * BLOCK_BYTES >= image.length) return;
  const words = wordsOf(bytes);
  const base = wordsOf(image.subarray(block * BLOCK_BYTES, (block + 1) * BLOCK_BYTES));
  for (let at = 0; at < words.length; at++) words[at]! ^= base[at]!;
}

function wordsOf(bytes: Buffer): Int32Array {
  assert(bytes.byteOffset % WORD_BYTES === 0, 'blocks lie on word boundaries');
  return new Int32Array(bytes.buffer, bytes.byteOffset, bytes.length / WORD_BYTES);
}

const ZERO = Buffer.alloc(BLOCK_BYTES);

const isSame = (memory: Buffer, image: Buffer, at: number): boolean =>
  at < image.length ? memory.compare(image, at, at + BLOCK_BYTES, at, at + BLOCK_BYTES) === 0 : memory.compare(ZERO, 0, BLOCK_BYTES, at, at + BLOCK_BYTES) === 0;
