import type { Random } from './random.js';

/** How a snapshot's body begins: `tag ‖ length of state ‖ state ‖ image`. */
const TAG_BYTES = 32;
const LENGTH_BYTES = 4;

/** The snapshot with one digit of the realm's image changed, so that the image is another one and still an image; `undefined` if it has none. */
export function damaged(body: Uint8Array, random: Random): Buffer | undefined {
  const bytes = Buffer.from(body);
  const image = TAG_BYTES + LENGTH_BYTES + bytes.readUInt32LE(TAG_BYTES);
  const digits = [...bytes.keys()].filter((at) => at >= image && bytes[at]! >= 0x31 && bytes[at]! <= 0x39);
  if (digits.length === 0) return undefined;
  const at = random.pick(digits);
  bytes[at] = 0x31 + ((bytes[at]! - 0x31 + random.int(1, 8)) % 9);
  return bytes;
}
