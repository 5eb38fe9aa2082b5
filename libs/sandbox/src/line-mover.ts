import { HAS_MEMORY } from './wasm-code.js';
import { LINE_BYTES, LINE_SHIFT, VAULT } from './wasm-marks.js';

/**
 * A module of two functions that move a realm's lines between the interpreter's memory and the vault, made here since only WebAssembly reaches both at full speed.
 *
 * - `takeOut(line, endLine, out, pristine, pristineEnd)`: each line from `line` up to `endLine` (both multiples of 8) that is marked goes to the vault at `out`, as
 *   `address (u32) ‖ 4 bytes ‖ 64 bytes`; its place in memory is made pristine again, from the vault at `pristine` + its address, or zero when its address is
 *   `pristineEnd` or higher; its mark goes. Returns the end of what it wrote.
 * - `putIn(from, end)`: writes such records into memory and marks their lines.
 */
export interface LineMover {
  takeOut(line: number, endLine: number, out: number, pristine: number, pristineEnd: number): number;
  putIn(from: number, end: number): void;
}

/** What a line takes in the vault, with its address. */
export const RECORD_BYTES = 8 + LINE_BYTES;
/** One mark is a byte; eight are looked at together. */
export const MARKS_PER_WORD = 8;

const I32 = 0x7f;
const EMPTY = 0x40;
const OP = {
  block: 0x02, loop: 0x03, if: 0x04, else: 0x05, end: 0x0b, br: 0x0c, brIf: 0x0d, localGet: 0x20, localSet: 0x21, localTee: 0x22, i32Load: 0x28, i64Load: 0x29, i32Load8: 0x2d, i32Store: 0x36, i64Store: 0x37, i32Store8: 0x3a,
  i32Const: 0x41, i64Const: 0x42, i64Eqz: 0x50, i32LtU: 0x49, i32GeU: 0x4f, i32Add: 0x6a, i32And: 0x71, i32Shl: 0x74, i32ShrU: 0x76,
} as const;
const REALM = 0;

const get = (local: number): number[] => [OP.localGet, local];
const set = (local: number): number[] => [OP.localSet, local];
/** For constants below 64, which are one byte. */
const constant = (value: number): number[] => [OP.i32Const, ...(value < 64 ? [value] : [(value & 0x7f) | 0x80, value >> 7])];
const access = (opcode: number, memory: number, offset = 0): number[] => [opcode, HAS_MEMORY, memory, offset];
const advance = (local: number, by: number): number[] => [...get(local), ...constant(by), OP.i32Add, ...set(local)];
const words = Array.from({ length: LINE_BYTES / 8 }, (_, index) => index * 8);

const TAKE_OUT = ((): number[] => {
  const [line, endLine, out, pristine, pristineEnd, address] = [0, 1, 2, 3, 4, 5];
  const from = 6;
  const copyOut = words.flatMap((at) => [...get(out), ...get(address), ...access(OP.i64Load, REALM, at), ...access(OP.i64Store, VAULT, at + 8)]);
  const makePristine = words.flatMap((at) => [...get(address), ...get(from), ...access(OP.i64Load, VAULT, at), ...access(OP.i64Store, REALM, at)]);
  const makeZero = words.flatMap((at) => [...get(address), OP.i64Const, 0, ...access(OP.i64Store, REALM, at)]);
  const takeLine = [
    ...[...get(line), OP.i32Const, 0, ...access(OP.i32Store8, VAULT)],
    ...[...get(out), ...get(line), OP.i32Const, LINE_SHIFT, OP.i32Shl, OP.localTee, address, ...access(OP.i32Store, VAULT)],
    ...copyOut,
    ...[...get(address), ...get(pristineEnd), OP.i32LtU, OP.if, EMPTY],
    ...[...get(pristine), ...get(address), OP.i32Add, ...set(from), ...makePristine],
    ...[OP.else, ...makeZero, OP.end],
    ...advance(out, RECORD_BYTES),
  ];
  return [
    ...[1, 2, I32],
    ...[OP.block, EMPTY, OP.loop, EMPTY],
    ...[...get(line), ...get(endLine), OP.i32GeU, OP.brIf, 1],
    ...[...get(line), ...access(OP.i64Load, VAULT), OP.i64Eqz, OP.if, EMPTY, ...advance(line, MARKS_PER_WORD), OP.br, 1, OP.end],
    ...[OP.loop, EMPTY],
    ...[...get(line), ...access(OP.i32Load8, VAULT), OP.if, EMPTY, ...takeLine, OP.end],
    ...[...advance(line, 1), ...get(line), ...constant(MARKS_PER_WORD - 1), OP.i32And, OP.brIf, 0, OP.end],
    ...[OP.br, 0, OP.end, OP.end],
    ...[...get(out), OP.end],
  ];
})();

const PUT_IN = ((): number[] => {
  const [from, end, address] = [0, 1, 2];
  const copyIn = words.flatMap((at) => [...get(address), ...get(from), ...access(OP.i64Load, VAULT, at + 8), ...access(OP.i64Store, REALM, at)]);
  return [
    ...[1, 1, I32],
    ...[OP.block, EMPTY, OP.loop, EMPTY],
    ...[...get(from), ...get(end), OP.i32GeU, OP.brIf, 1],
    ...[...get(from), ...access(OP.i32Load, VAULT), ...set(address), ...copyIn],
    ...[...get(address), OP.i32Const, LINE_SHIFT, OP.i32ShrU, OP.i32Const, 1, ...access(OP.i32Store8, VAULT)],
    ...[...advance(from, RECORD_BYTES), OP.br, 0, OP.end, OP.end, OP.end],
  ];
})();

const leb = (value: number): number[] => (value < 128 ? [value] : [(value & 0x7f) | 0x80, ...leb(value >> 7)]);
const name = (text: string): number[] => [text.length, ...Buffer.from(text)];
const section = (id: number, ...content: number[]): number[] => [id, ...leb(content.length), ...content];
const body = (code: readonly number[]): number[] => [...leb(code.length), ...code];
const memory = (text: string): number[] => [...name('stage'), ...name(text), 2, 0, 0];

const MODULE = Uint8Array.from([
  ...[0x00, 0x61, 0x73, 0x6d, 1, 0, 0, 0],
  ...section(1, 2, 0x60, 5, I32, I32, I32, I32, I32, 1, I32, 0x60, 2, I32, I32, 0),
  ...section(2, 2, ...memory('memory'), ...memory('vault')),
  ...section(3, 2, 0, 1),
  ...section(7, 2, ...name('takeOut'), 0, 0, ...name('putIn'), 0, 1),
  ...section(10, 2, ...body(TAKE_OUT), ...body(PUT_IN)),
]);

let compiled: WebAssembly.Module | undefined;

export function createLineMover(stage: { readonly memory: WebAssembly.Memory; readonly vault: WebAssembly.Memory }): LineMover {
  compiled ??= new WebAssembly.Module(MODULE);
  return new WebAssembly.Instance(compiled, { stage: { memory: stage.memory, vault: stage.vault } }).exports as unknown as LineMover;
}
