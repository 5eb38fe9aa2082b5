import { BULK, HAS_MEMORY, OPCODE, readUnsigned, VALUE_TYPE, writeSigned, writeUnsigned, type Instruction } from './wasm-code.js';

/**
 * Marks what is written: after each store, the byte of the module's second memory that stands for the line it went to becomes 1. The code inside cannot reach that
 * memory. So the host knows what differs from the baseline without comparing, and a realm is those lines.
 *
 * A line is marked by its first byte that was written. A store that may cross into the next one, since its address is not a multiple of its size, marks by its last byte too.
 */
export const LINE_BYTES = 64;
export const LINE_SHIFT = 6;
/** A word has four bytes. */
export const LINE_WORDS_SHIFT = LINE_SHIFT - 2;
/** Index of the memory that has the marks, from its begin: a line's mark lies at the line's number. */
export const VAULT = 1;


interface Store {
  readonly value: number;
  /** Logarithm of its bytes. */
  readonly size: number;
}

const STORES = new Map<number, Store>([
  [OPCODE.i32Store, { value: VALUE_TYPE.i32, size: 2 }],
  [OPCODE.i64Store, { value: VALUE_TYPE.i64, size: 3 }],
  [OPCODE.f32Store, { value: VALUE_TYPE.f32, size: 2 }],
  [OPCODE.f64Store, { value: VALUE_TYPE.f64, size: 3 }],
  [OPCODE.i32Store8, { value: VALUE_TYPE.i32, size: 0 }],
  [OPCODE.i32Store16, { value: VALUE_TYPE.i32, size: 1 }],
  [OPCODE.i64Store8, { value: VALUE_TYPE.i64, size: 0 }],
  [OPCODE.i64Store16, { value: VALUE_TYPE.i64, size: 1 }],
  [OPCODE.i64Store32, { value: VALUE_TYPE.i64, size: 2 }],
]);

export const isStore = ({ opcode }: Instruction): boolean => STORES.has(opcode);

/** Locals that marking adds to one function: an address, and a value of each type that it stores. */
export class MarkingLocals {
  readonly #first: number;
  readonly #types: number[] = [VALUE_TYPE.i32];

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
  ...[OPCODE.localGet, ...writeUnsigned(local)],
  ...(distance === 0 ? [] : [OPCODE.i32Const, ...writeSigned(distance), OPCODE.i32Add]),
  ...[OPCODE.i32Const, LINE_SHIFT, OPCODE.i32ShrU, OPCODE.i32Const, 1, OPCODE.i32Store8, HAS_MEMORY, VAULT, 0],
];

/** The store and its marks. */
export function markedStore(code: Uint8Array, { at, next, opcode }: Instruction, locals: MarkingLocals): number[] {
  const { value, size } = STORES.get(opcode)!;
  const { value: alignment, next: offsetAt } = readUnsigned(code, at + 1);
  const { value: offset } = readUnsigned(code, offsetAt);
  const kept = [OPCODE.localSet, ...writeUnsigned(locals.valueOf(value)), OPCODE.localTee, ...writeUnsigned(locals.address), OPCODE.localGet, ...writeUnsigned(locals.valueOf(value))];
  const last = alignment < size ? mark(locals.address, offset + 2 ** size - 1) : [];
  return [...kept, ...code.subarray(at, next), ...mark(locals.address, offset), ...last];
}

/** Marks what a bulk instruction wrote: from the address in local 0 on, as many bytes as local 2 says. */
export const markedRange = (): number[] => {
  const line = [OPCODE.i32Const, LINE_SHIFT, OPCODE.i32ShrU];
  const first = [OPCODE.localGet, 0, ...line];
  const behindLast = [OPCODE.localGet, 0, OPCODE.localGet, 2, OPCODE.i32Add, OPCODE.i32Const, ...writeSigned(LINE_BYTES - 1), OPCODE.i32Add, ...line];
  return [...first, OPCODE.i32Const, 1, ...behindLast, ...first, OPCODE.i32Sub, OPCODE.bulk, BULK.fill, VAULT];
};
