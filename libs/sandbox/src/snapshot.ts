import { createHmac, timingSafeEqual } from 'node:crypto';
import { zstdCompressSync, zstdDecompressSync, constants } from 'node:zlib';
import type { Baseline } from './baseline.js';
import type { Instance } from './instance.js';
import { WASM_PAGE_BYTES } from './limits.js';

/** Memory is compared and kept in blocks of this size. */
const BLOCK_BYTES = 4096;
const TAG_BYTES = 32;
const VERSION = 1;

/** What an image is bound to: it fits this build, bundle and baseline alone (I7). */
const contextOf = (build: string, { bundleHash, hash }: Baseline): string => `${VERSION}\0${build}\0${bundleHash}\0${hash}`;

const tagOf = (key: Uint8Array, context: string, body: Uint8Array): Buffer => createHmac('sha256', key).update(context).update('\0').update(body).digest();

export interface SnapshotSecrets {
  readonly key: Uint8Array;
  readonly build: string;
}

/**
 * The realm's memory as its difference from the baseline: the blocks that differ, compressed.
 * `tag ‖ zstd(pages ‖ block count ‖ block numbers ‖ blocks)`.
 */
export const takeSnapshot = (instance: Instance, baseline: Baseline, { key, build }: SnapshotSecrets): Uint8Array => {
  const { dataStart } = instance.engine;
  const end = instance.pages * WASM_PAGE_BYTES - dataStart;
  const memory = instance.bytes.subarray(dataStart, dataStart + end);
  const { image } = baseline;
  const differing: number[] = [];
  for (let at = 0; at < end; at += BLOCK_BYTES) {
    if (!isSame(memory, image, at)) differing.push(at / BLOCK_BYTES);
  }
  const head = Buffer.alloc(8 + differing.length * 4);
  head.writeUInt32LE(instance.pages, 0);
  head.writeUInt32LE(differing.length, 4);
  for (const [index, block] of differing.entries()) head.writeUInt32LE(block, 8 + index * 4);
  const blocks = differing.map((block) => blockOf(memory, block));
  const body = zstdCompressSync(Buffer.concat([head, ...blocks]), { params: { [constants.ZSTD_c_compressionLevel]: 3 } });
  return Buffer.concat([tagOf(key, contextOf(build, baseline), body), body]);
};

/** The last block may be shorter than others; it is filled up with zeros. */
const blockOf = (memory: Buffer, block: number): Buffer => {
  const part = memory.subarray(block * BLOCK_BYTES, (block + 1) * BLOCK_BYTES);
  return part.length === BLOCK_BYTES ? part : Buffer.concat([part, Buffer.alloc(BLOCK_BYTES - part.length)]);
};

const ZERO = Buffer.alloc(BLOCK_BYTES);

/** The baseline's image ends where its zeros begin. */
const isSame = (memory: Buffer, image: Buffer, at: number): boolean => {
  const end = Math.min(at + BLOCK_BYTES, memory.length);
  const inImage = Math.max(at, Math.min(end, image.length));
  if (inImage > at && memory.compare(image, at, inImage, at, inImage) !== 0) return false;
  return inImage === end || memory.compare(ZERO, 0, end - inImage, inImage, end) === 0;
};

/** Puts the image into an instance that stands at the baseline. `false`: it is damaged, or belongs to another build, bundle or baseline; the instance is unchanged. */
export const applySnapshot = (instance: Instance, baseline: Baseline, { image, key, build }: SnapshotSecrets & { readonly image: Uint8Array }): boolean => {
  const bytes = Buffer.from(image.buffer, image.byteOffset, image.byteLength);
  const body = bytes.subarray(TAG_BYTES);
  if (bytes.length <= TAG_BYTES || !timingSafeEqual(bytes.subarray(0, TAG_BYTES), tagOf(key, contextOf(build, baseline), body))) return false;
  const delta = zstdDecompressSync(body);
  const pages = delta.readUInt32LE(0);
  const count = delta.readUInt32LE(4);
  instance.reserve(pages);
  instance.pages = pages;
  const { dataStart } = instance.engine;
  const end = pages * WASM_PAGE_BYTES;
  for (let index = 0; index < count; index++) {
    const target = dataStart + delta.readUInt32LE(8 + index * 4) * BLOCK_BYTES;
    const from = 8 + count * 4 + index * BLOCK_BYTES;
    delta.copy(instance.bytes, target, from, from + Math.min(BLOCK_BYTES, end - target));
  }
  return true;
};
