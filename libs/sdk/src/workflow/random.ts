/**
 * The run's random numbers: sfc32 (Chris Doty-Humphrey, PractRand; public domain), seeded by four FNV-1a hashes of the run's id. Not for keys or tokens: whoever
 * knows the run's id can compute them.
 */
const state = new Uint32Array(4);
let seed: string | undefined;

/** Which numbers come next. They are drawn when the first one is asked for: most runs never do, and hashing an id is half of what a run's start would cost. */
export const seedRandom = (text: string): void => {
  seed = text;
};

const sow = (text: string): void => {
  seed = undefined;
  for (let i = 0; i < 4; i++) {
    let hash = (0x811c9dc5 ^ Math.imul(i + 1, 0x9e3779b9)) >>> 0;
    for (let at = 0; at < text.length; at++) hash = Math.imul(hash ^ text.charCodeAt(at), 0x01000193) >>> 0;
    state[i] = hash;
  }
  for (let i = 0; i < 12; i++) nextUint32();
};

export const nextUint32 = (): number => {
  if (seed !== undefined) sow(seed);
  const a = state[0]!;
  const b = state[1]!;
  const c = state[2]!;
  const counter = state[3]!;
  const sum = (a + b + counter) >>> 0;
  state[0] = b ^ (b >>> 9);
  state[1] = c + (c << 3);
  state[2] = ((c << 21) | (c >>> 11)) + sum;
  state[3] = counter + 1;
  return sum;
};

/** In [0, 1), with 53 bits. */
export const nextRandom = (): number => ((nextUint32() >>> 5) * 0x4000000 + (nextUint32() >>> 6)) / 0x20000000000000;

const hex = (value: number, digits: number): string => value.toString(16).padStart(digits, '0');

/** RFC 9562, version 4. */
export const randomUuid = (): string => {
  const [a, b, c, d] = [nextUint32(), nextUint32(), nextUint32(), nextUint32()];
  return `${hex(a, 8)}-${hex(b >>> 16, 4)}-4${hex(b & 0xfff, 3)}-${hex(0x8000 | ((c >>> 16) & 0x3fff), 4)}-${hex(c & 0xffff, 4)}${hex(d, 8)}`;
};
