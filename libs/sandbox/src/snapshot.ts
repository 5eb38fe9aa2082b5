import { createHmac, timingSafeEqual } from 'node:crypto';
import { zstdCompressSync, zstdDecompressSync, constants } from 'node:zlib';
import type { Baseline } from './baseline.js';
import { zeroFreeMemory } from './free-memory.js';
import type { Instance } from './instance.js';
import { WASM_PAGE_BYTES } from './limits.js';
import { applyDelta, deltaOf } from './memory-delta.js';
import { LINE_SHIFT } from './wasm-marks.js';

const TAG_BYTES = 32;
const VERSION = 4;
const LENGTH_BYTES = 4;

/** Why a snapshot does not serve (I7); `corrupt`: damaged, cut, of another format or authenticated with another key. */
export type SnapshotRejection = 'other-build' | 'other-bundle' | 'other-baseline' | 'corrupt';

/**
 * `tag ‖ version ‖ head length ‖ head ‖ length of the delta ‖ pages ‖ zstd(delta)`: the realm's memory as its difference from the baseline, without what its
 * allocator holds free. The tag covers all that follows it; the head names what the image fits.
 */
export function takeSnapshot(instance: Instance, baseline: Baseline, key: Uint8Array): Uint8Array {
  zeroFreeMemory(instance, { heapStart: baseline.heapStart, runtime: baseline.roots.runtime, written: baseline.written });
  const delta = deltaOf(memoryOf(instance), baseline.image, marksOf(instance));
  const sizes = Buffer.alloc(2 * LENGTH_BYTES);
  sizes.writeUInt32LE(delta.length);
  sizes.writeUInt32LE(instance.pages, LENGTH_BYTES);
  const body = zstdCompressSync(delta, { params: { [constants.ZSTD_c_compressionLevel]: 1 } });
  const signed = Buffer.concat([headOf(instance.engine.build, baseline), sizes, body]);
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
export function applySnapshot(instance: Instance, image: Uint8Array): void {
  const { signed } = partsOf(image);
  const sizesAt = 3 + signed.readUInt16LE(1);
  const deltaBytes = signed.readUInt32LE(sizesAt);
  const pages = signed.readUInt32LE(sizesAt + LENGTH_BYTES);
  // In one piece of the size that it has.
  const chunkSize = Math.max(deltaBytes, constants.Z_MIN_CHUNK);
  const delta = zstdDecompressSync(signed.subarray(sizesAt + 2 * LENGTH_BYTES), { chunkSize, maxOutputLength: deltaBytes });
  instance.reserve(pages);
  instance.pages = pages;
  applyDelta(memoryOf(instance), delta, marksOf(instance));
}

/** What is the realm's. */
const memoryOf = ({ bytes, engine, pages }: Instance): Buffer => bytes.subarray(engine.dataStart, pages * WASM_PAGE_BYTES);

const marksOf = ({ vault, engine }: Instance): Buffer => vault.bytes.subarray(engine.dataStart >>> LINE_SHIFT, vault.marksBytes);

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
