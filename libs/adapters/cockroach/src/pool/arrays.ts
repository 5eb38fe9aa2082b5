import { StoreFault } from '@perdure/delivery';

/** Element types, by their number on the wire; the same in CockroachDB. */
const TEXT = 25;
const INT8 = 20;
const BYTEA = 17;

const HEADER_BYTES = 20;
const LENGTH_BYTES = 4;
const NULL_LENGTH = -1;

/** An array parameter in the binary form that both servers read: no quoting, and bytes as they are. */
function encodeArray<T>(elementType: number, items: readonly (T | null)[], codec: { readonly size: (item: T) => number; readonly write: (buffer: Buffer, item: T, at: number) => void }): Buffer {
  let bytes = HEADER_BYTES;
  for (const item of items) bytes += LENGTH_BYTES + (item === null ? 0 : codec.size(item));
  const buffer = Buffer.allocUnsafe(bytes);
  buffer.writeInt32BE(items.length === 0 ? 0 : 1, 0);
  buffer.writeInt32BE(items.includes(null) ? 1 : 0, 4);
  buffer.writeInt32BE(elementType, 8);
  buffer.writeInt32BE(items.length, 12);
  buffer.writeInt32BE(1, 16);
  if (items.length === 0) return buffer.subarray(0, 12);
  let at = HEADER_BYTES;
  for (const item of items) {
    const size = item === null ? NULL_LENGTH : codec.size(item);
    buffer.writeInt32BE(size, at);
    at += LENGTH_BYTES;
    if (item === null) continue;
    codec.write(buffer, item, at);
    at += size;
  }
  return buffer;
}

/**
 * What a text column can hold and give back as it was. PostgreSQL has no U+0000, and half a surrogate pair has no UTF-8.
 * @throws StoreFault `contentRefused`
 */
export const storable = (text: string): string => {
  if (text.includes('\u0000')) throw new StoreFault('contentRefused', `${JSON.stringify(text.slice(0, 100))} holds a zero character`);
  if (!text.isWellFormed()) throw new StoreFault('contentRefused', `${JSON.stringify(text.slice(0, 100))} is not well-formed Unicode`);
  return text;
};

const TEXT_CODEC = { size: (item: string) => Buffer.byteLength(item), write: (buffer: Buffer, item: string, at: number) => void buffer.write(item, at) };
const INT8_CODEC = { size: () => 8, write: (buffer: Buffer, item: number, at: number) => void buffer.writeBigInt64BE(BigInt(item), at) };
const BYTEA_CODEC = { size: (item: Uint8Array) => item.byteLength, write: (buffer: Buffer, item: Uint8Array, at: number) => void buffer.set(item, at) };

/** @throws StoreFault `contentRefused` when a text cannot be stored as it is */
export const texts = (items: readonly (string | null)[]): Buffer => encodeArray(TEXT, items.map((item) => item && storable(item)), TEXT_CODEC);
/** @throws StoreFault `contentRefused` for what is no whole number */
export const int8s = (items: readonly (number | null)[]): Buffer => {
  const odd = items.find((item) => item !== null && !Number.isSafeInteger(item));
  if (odd !== undefined) throw new StoreFault('contentRefused', `${odd} is no whole number`);
  return encodeArray(INT8, items, INT8_CODEC);
};
export const byteas = (items: readonly (Uint8Array | null)[]): Buffer => encodeArray(BYTEA, items, BYTEA_CODEC);
