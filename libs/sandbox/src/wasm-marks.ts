import { HAS_MEMORY, readUnsigned, writeSigned, writeUnsigned, type Instruction } from './wasm-code.js';

/**
 * Marks what is written: after each store, the byte of the module's second memory that stands for the line it went to becomes 1. The code inside cannot reach that
 * memory. So the host knows what differs from the baseline without comparing, and a realm is those lines.
 *
 * A line is marked by its first byte that was written. A store that may cross into the next one, since its address is not a multiple of its size, marks by its last byte too.
 */
export const LINE_BYTES = 64;
export const LINE_SHIFT = 6;
/** Index of the memory that has the marks, from its begin: a line's mark lies at the line's number. */
export const VAULT = 1;

const TYPE = { i32: 0x7f, i64: 0x7e, f32: 0x7d, f64: 0x7c } as const;
const OP = { localGet: 0x20, localSet: 0x21, localTee: 0x22, i32Store8: 0x3a, i32Const: 0x41, i32Add: 0x6a, i32Sub: 0x6b, i32ShrU: 0x76, bulk: 0xfc } as const;
const FILL = 11;

interface Store {
  readonly value: number;
  /** Logarithm of its bytes. */
  readonly size: number;
}

const STORES = new Map<number, Store>([
  [0x36, { value: TYPE.i32, size: 2 }],
  [0x37, { value: TYPE.i64, size: 3 }],
  [0x38, { value: TYPE.f32, size: 2 }],
  [0x39, { value: TYPE.f64, size: 3 }],
  [0x3a, { value: TYPE.i32, size: 0 }],
  [0x3b, { value: TYPE.i32, size: 1 }],
  [0x3c, { value: TYPE.i64, size: 0 }],
  [0x3d, { value: TYPE.i64, size: 1 }],
  [0x3e, { value: TYPE.i64, size: 2 }],
]);

export const isStore = ({ opcode }: Instruction): boolean => STORES.has(opcode);

/** Locals that marking adds to one function: an address, and a value of each type that it stores. */
export class MarkingLocals {
  readonly #first: number;
  readonly #types: number[] = [TYPE.i32];

  /** @param first Number of the first local that the function does not have. */
  constructor(first: number) {
    this.#first = first;
  }

  get address(): number {
    return this.#first;
  }

  valueOf(type: number): number {
    const known = this.#types.indexOf(type, 1);
    return this.#first + (known > 0 ? known : this.#types.push(type) - 1);
  }

  /** The function's declarations of locals, these behind its own. */
  declarations(groups: number, own: Uint8Array): number[] {
    return [...writeUnsigned(groups + this.#types.length), ...own, ...this.#types.flatMap((type) => [1, type])];
  }
}

/** The byte `distance` behind the address in `local`: its line's mark becomes 1. */
const mark = (local: number, distance: number): number[] => [
  ...[OP.localGet, ...writeUnsigned(local)],
  ...(distance === 0 ? [] : [OP.i32Const, ...writeSigned(distance), OP.i32Add]),
  ...[OP.i32Const, LINE_SHIFT, OP.i32ShrU, OP.i32Const, 1, OP.i32Store8, HAS_MEMORY, VAULT, 0],
];

/** The store and its marks. */
export function markedStore(code: Uint8Array, { at, next, opcode }: Instruction, locals: MarkingLocals): number[] {
  const { value, size } = STORES.get(opcode)!;
  const { value: alignment, next: offsetAt } = readUnsigned(code, at + 1);
  const { value: offset } = readUnsigned(code, offsetAt);
  const kept = [OP.localSet, ...writeUnsigned(locals.valueOf(value)), OP.localTee, ...writeUnsigned(locals.address), OP.localGet, ...writeUnsigned(locals.valueOf(value))];
  const last = alignment < size ? mark(locals.address, offset + 2 ** size - 1) : [];
  return [...kept, ...code.subarray(at, next), ...mark(locals.address, offset), ...last];
}

/** Marks what a bulk instruction wrote: from the address in local 0 on, as many bytes as local 2 says. */
export const markedRange = (): number[] => {
  const line = [OP.i32Const, LINE_SHIFT, OP.i32ShrU];
  const first = [OP.localGet, 0, ...line];
  const behindLast = [OP.localGet, 0, OP.localGet, 2, OP.i32Add, OP.i32Const, ...writeSigned(LINE_BYTES - 1), OP.i32Add, ...line];
  return [...first, OP.i32Const, 1, ...behindLast, ...first, OP.i32Sub, OP.bulk, FILL, VAULT];
};
