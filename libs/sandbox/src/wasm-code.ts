/**
 * Walks the instructions of WebAssembly function bodies, so that single ones can be changed in place. Knows the core
 * instructions, sign extension, saturating conversion, bulk memory and several memories: what clang emits for wasm32 without SIMD. An opcode it
 * does not know stops it, by name, rather than letting it guess.
 */
export interface Instruction {
  readonly at: number;
  readonly next: number;
  readonly opcode: number;
  /** Second part of a 0xFC instruction. */
  readonly sub: number;
}

export const OPCODE = {
  unreachable: 0x00, block: 0x02, loop: 0x03, if: 0x04, else: 0x05, end: 0x0b, br: 0x0c, brIf: 0x0d, call: 0x10, callIndirect: 0x11, drop: 0x1a, localGet: 0x20, localSet: 0x21, localTee: 0x22, globalGet: 0x23, globalSet: 0x24,
  i32Load: 0x28, i64Load: 0x29, i32Load8: 0x2d, i32Store: 0x36, i64Store: 0x37, f32Store: 0x38, f64Store: 0x39, i32Store8: 0x3a, i32Store16: 0x3b, i64Store8: 0x3c, i64Store16: 0x3d, i64Store32: 0x3e, memorySize: 0x3f, memoryGrow: 0x40,
  i32Const: 0x41, i64Const: 0x42, i32LtS: 0x48, i32LtU: 0x49, i32GeU: 0x4f, i64Eqz: 0x50, i32Add: 0x6a, i32Sub: 0x6b, i32And: 0x71, i32Shl: 0x74, i32ShrU: 0x76, bulk: 0xfc,
} as const;
/** Second parts of `bulk`, of those that move memory. */
export const BULK = { init: 8, copy: 10, fill: 11 } as const;
export const VALUE_TYPE = { i32: 0x7f, i64: 0x7e, f32: 0x7d, f64: 0x7c } as const;
/** Type of a block that takes nothing and leaves nothing. */
export const EMPTY_BLOCK = 0x40;

/** In the first immediate of a load or store: the number of the memory follows it. */
export const HAS_MEMORY = 0x40;

export function readUnsigned(bytes: Uint8Array, at: number): { value: number; next: number } {
  let value = 0;
  let shift = 0;
  for (let p = at; ; p++) {
    const byte = bytes[p]!;
    value |= (byte & 0x7f) << shift;
    if (byte < 0x80) return { value: value >>> 0, next: p + 1 };
    shift += 7;
  }
}

export function writeUnsigned(value: number): number[] {
  const out: number[] = [];
  for (let rest = value >>> 0; ; ) {
    const byte = rest & 0x7f;
    rest >>>= 7;
    if (rest === 0) return [...out, byte];
    out.push(byte | 0x80);
  }
}

export function writeSigned(value: number): number[] {
  const out: number[] = [];
  for (let rest = value | 0; ; ) {
    const byte = rest & 0x7f;
    rest >>= 7;
    if ((rest === 0 && (byte & 0x40) === 0) || (rest === -1 && (byte & 0x40) !== 0)) return [...out, byte];
    out.push(byte | 0x80);
  }
}

const skipLeb = (bytes: Uint8Array, at: number): number => {
  let p = at;
  while (bytes[p]! >= 0x80) p++;
  return p + 1;
};

const skipLebs = (bytes: Uint8Array, at: number, count: number): number => {
  let p = at;
  for (let i = 0; i < count; i++) p = skipLeb(bytes, p);
  return p;
};

const skipBranchTable = (bytes: Uint8Array, at: number): number => {
  const { value, next } = readUnsigned(bytes, at);
  return skipLebs(bytes, next, value + 1);
};

const unknown = (opcode: number, at: number): never => {
  throw new Error(`unknown WebAssembly opcode 0x${opcode.toString(16)} at ${at}`);
};

/** How many LEB immediates a 0xFC instruction has. */
const bulkImmediates = (sub: number, at: number): number => {
  if (sub <= 7) return 0;
  if (sub === 8 || sub === 10 || sub === 12 || sub === 14) return 2;
  if (sub === 9 || sub === 11 || sub === 13 || (sub >= 15 && sub <= 17)) return 1;
  return unknown(0xfc00 | sub, at);
};

function skipImmediates(bytes: Uint8Array, opcode: number, p: number): number {
  if (opcode >= 0x45 && opcode <= 0xc4) return p;
  if (opcode >= 0x28 && opcode <= 0x3e) return skipLebs(bytes, p, (bytes[p]! & HAS_MEMORY) === 0 ? 2 : 3);
  switch (opcode) {
    case 0x00: case 0x01: case 0x05: case 0x0b: case 0x0f: case 0x1a: case 0x1b: case 0xd1:
      return p;
    case 0x02: case 0x03: case 0x04: case 0x0c: case 0x0d: case 0x10: case 0x20: case 0x21: case 0x22: case 0x23: case 0x24:
    case 0x25: case 0x26: case 0x3f: case 0x40: case 0x41: case 0x42: case 0xd0: case 0xd2:
      return skipLeb(bytes, p);
    case 0x11:
      return skipLebs(bytes, p, 2);
    case 0x0e:
      return skipBranchTable(bytes, p);
    case 0x1c: {
      const { value, next } = readUnsigned(bytes, p);
      return next + value;
    }
    case 0x43:
      return p + 4;
    case 0x44:
      return p + 8;
    default:
      return unknown(opcode, p - 1);
  }
}

/** The instructions of one body, from its first to the `end` that closes it. */
export function* instructions(bytes: Uint8Array, start: number, end: number): Generator<Instruction> {
  for (let at = start; at < end; ) {
    const opcode = bytes[at]!;
    if (opcode === 0xfc) {
      const { value: sub, next } = readUnsigned(bytes, at + 1);
      const after = skipLebs(bytes, next, bulkImmediates(sub, at));
      yield { at, next: after, opcode, sub };
      at = after;
    } else {
      const next = skipImmediates(bytes, opcode, at + 1);
      yield { at, next, opcode, sub: 0 };
      at = next;
    }
  }
}

/** A body's declarations of locals: how many groups there are, where they begin and end, how many locals they declare. */
export function localsOf(bytes: Uint8Array, bodyStart: number): { readonly groups: number; readonly start: number; readonly end: number; readonly count: number } {
  const { value: groups, next: start } = readUnsigned(bytes, bodyStart);
  let end = start;
  let count = 0;
  for (let group = 0; group < groups; group++) {
    const { value, next } = readUnsigned(bytes, end);
    count += value;
    end = next + 1;
  }
  return { groups, start, end, count };
}

/** Where a body's code begins: after its declarations of locals. */
export const codeStart = (bytes: Uint8Array, bodyStart: number): number => localsOf(bytes, bodyStart).end;
