import { EMPTY_BLOCK, HAS_MEMORY, OPCODE, VALUE_TYPE, writeSigned, writeUnsigned } from './wasm-code.js';
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

const REALM = 0;

const get = (local: number): number[] => [OPCODE.localGet, local];
const set = (local: number): number[] => [OPCODE.localSet, local];
const constant = (value: number): number[] => [OPCODE.i32Const, ...writeSigned(value)];
const access = (opcode: number, memory: number, offset = 0): number[] => [opcode, HAS_MEMORY, memory, offset];
const advance = (local: number, by: number): number[] => [...get(local), ...constant(by), OPCODE.i32Add, ...set(local)];
const words = Array.from({ length: LINE_BYTES / 8 }, (_, index) => index * 8);

const TAKE_OUT = ((): number[] => {
  const [line, endLine, out, pristine, pristineEnd, address] = [0, 1, 2, 3, 4, 5];
  const from = 6;
  const copyOut = words.flatMap((at) => [...get(out), ...get(address), ...access(OPCODE.i64Load, REALM, at), ...access(OPCODE.i64Store, VAULT, at + 8)]);
  const makePristine = words.flatMap((at) => [...get(address), ...get(from), ...access(OPCODE.i64Load, VAULT, at), ...access(OPCODE.i64Store, REALM, at)]);
  const makeZero = words.flatMap((at) => [...get(address), OPCODE.i64Const, 0, ...access(OPCODE.i64Store, REALM, at)]);
  const takeLine = [
    ...[...get(line), OPCODE.i32Const, 0, ...access(OPCODE.i32Store8, VAULT)],
    ...[...get(out), ...get(line), OPCODE.i32Const, LINE_SHIFT, OPCODE.i32Shl, OPCODE.localTee, address, ...access(OPCODE.i32Store, VAULT)],
    ...copyOut,
    ...[...get(address), ...get(pristineEnd), OPCODE.i32LtU, OPCODE.if, EMPTY_BLOCK],
    ...[...get(pristine), ...get(address), OPCODE.i32Add, ...set(from), ...makePristine],
    ...[OPCODE.else, ...makeZero, OPCODE.end],
    ...advance(out, RECORD_BYTES),
  ];
  return [
    ...[1, 2, VALUE_TYPE.i32],
    ...[OPCODE.block, EMPTY_BLOCK, OPCODE.loop, EMPTY_BLOCK],
    ...[...get(line), ...get(endLine), OPCODE.i32GeU, OPCODE.brIf, 1],
    ...[...get(line), ...access(OPCODE.i64Load, VAULT), OPCODE.i64Eqz, OPCODE.if, EMPTY_BLOCK, ...advance(line, MARKS_PER_WORD), OPCODE.br, 1, OPCODE.end],
    ...[OPCODE.loop, EMPTY_BLOCK],
    ...[...get(line), ...access(OPCODE.i32Load8, VAULT), OPCODE.if, EMPTY_BLOCK, ...takeLine, OPCODE.end],
    ...[...advance(line, 1), ...get(line), ...constant(MARKS_PER_WORD - 1), OPCODE.i32And, OPCODE.brIf, 0, OPCODE.end],
    ...[OPCODE.br, 0, OPCODE.end, OPCODE.end],
    ...[...get(out), OPCODE.end],
  ];
})();

const PUT_IN = ((): number[] => {
  const [from, end, address] = [0, 1, 2];
  const copyIn = words.flatMap((at) => [...get(address), ...get(from), ...access(OPCODE.i64Load, VAULT, at + 8), ...access(OPCODE.i64Store, REALM, at)]);
  return [
    ...[1, 1, VALUE_TYPE.i32],
    ...[OPCODE.block, EMPTY_BLOCK, OPCODE.loop, EMPTY_BLOCK],
    ...[...get(from), ...get(end), OPCODE.i32GeU, OPCODE.brIf, 1],
    ...[...get(from), ...access(OPCODE.i32Load, VAULT), ...set(address), ...copyIn],
    ...[...get(address), OPCODE.i32Const, LINE_SHIFT, OPCODE.i32ShrU, OPCODE.i32Const, 1, ...access(OPCODE.i32Store8, VAULT)],
    ...[...advance(from, RECORD_BYTES), OPCODE.br, 0, OPCODE.end, OPCODE.end, OPCODE.end],
  ];
})();

const name = (text: string): number[] => [text.length, ...Buffer.from(text)];
const section = (id: number, ...content: number[]): number[] => [id, ...writeUnsigned(content.length), ...content];
const body = (code: readonly number[]): number[] => [...writeUnsigned(code.length), ...code];
const memory = (text: string): number[] => [...name('stage'), ...name(text), 2, 0, 0];

const MODULE = Uint8Array.from([
  ...[0x00, 0x61, 0x73, 0x6d, 1, 0, 0, 0],
  ...section(1, 2, 0x60, 5, VALUE_TYPE.i32, VALUE_TYPE.i32, VALUE_TYPE.i32, VALUE_TYPE.i32, VALUE_TYPE.i32, 1, VALUE_TYPE.i32, 0x60, 2, VALUE_TYPE.i32, VALUE_TYPE.i32, 0),
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
