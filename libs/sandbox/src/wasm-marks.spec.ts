import { describe, expect, it } from '@jest/globals';
import { VALUE_TYPE, writeUnsigned } from './wasm-code.js';
import { LINE_BYTES, MarkingLocals, markedRange, markedStore } from './wasm-marks.js';

type TypeName = keyof typeof VALUE_TYPE;

const STORES: readonly [name: string, opcode: number, value: TypeName, bytes: number][] = [
  ['i32.store', 0x36, 'i32', 4], ['i64.store', 0x37, 'i64', 8], ['f32.store', 0x38, 'f32', 4], ['f64.store', 0x39, 'f64', 8], ['i32.store8', 0x3a, 'i32', 1],
  ['i32.store16', 0x3b, 'i32', 2], ['i64.store8', 0x3c, 'i64', 1], ['i64.store16', 0x3d, 'i64', 2], ['i64.store32', 0x3e, 'i64', 4],
];

interface Exports {
  readonly memory: WebAssembly.Memory;
  readonly vault: WebAssembly.Memory;
  readonly run: (...args: (number | bigint)[]) => void;
}

const name = (text: string): number[] => [text.length, ...Buffer.from(text)];
const section = (id: number, content: readonly number[]): number[] => [id, ...writeUnsigned(content.length), ...content];

/** A module with one function, of parameters of these types, and the two memories, a page each. */
function moduleOf(parameters: readonly number[], body: readonly number[]): Exports {
  const bytes = Uint8Array.from([
    ...[0x00, 0x61, 0x73, 0x6d, 1, 0, 0, 0],
    ...section(1, [1, 0x60, parameters.length, ...parameters, 0]),
    ...section(3, [1, 0]),
    ...section(5, [2, 0, 1, 0, 1]),
    ...section(7, [3, ...name('memory'), 2, 0, ...name('vault'), 2, 1, ...name('run'), 0, 0]),
    ...section(10, [1, ...writeUnsigned(body.length), ...body]),
  ]);
  return new WebAssembly.Instance(new WebAssembly.Module(bytes)).exports as unknown as Exports;
}

/** The lines that are marked, and those in which a byte is no longer zero. */
const marked = ({ vault }: Exports): number[] => [...new Uint8Array(vault.buffer).entries()].flatMap(([line, mark]) => (mark === 0 ? [] : [line]));
const written = ({ memory }: Exports): number[] => [...new Set([...new Uint8Array(memory.buffer).entries()].flatMap(([at, byte]) => (byte === 0 ? [] : [Math.floor(at / LINE_BYTES)])))];
const clear = ({ memory, vault }: Exports): void => [memory, vault].forEach(({ buffer }) => new Uint8Array(buffer).fill(0));

describe('marks', () => {
  it.each(STORES)('%s marks the lines that it wrote to, and no other', (_, opcode, value, size) => {
    for (const offset of [0, 1, 63, 200]) {
      for (const alignment of [0, Math.log2(size)]) {
        const store = Uint8Array.of(opcode, alignment, ...writeUnsigned(offset));
        const locals = new MarkingLocals(2);
        const code = markedStore(store, { at: 0, next: store.length, opcode, sub: 0 }, locals);
        const module = moduleOf([VALUE_TYPE.i32, VALUE_TYPE[value]], [...locals.declarations(0, new Uint8Array(0)), 0x20, 0, 0x20, 1, ...code, 0x0b]);
        // What the compiler calls aligned is; nothing else is said of the rest.
        const isHeld = (address: number): boolean => alignment === 0 || (address + offset) % size === 0;
        for (let address = 0; address < 3 * LINE_BYTES; address++) {
          if (!isHeld(address)) continue;
          module.run(address, value === 'i64' ? -1n : value === 'i32' ? -1 : NaN);
          const first = Math.floor((address + offset) / LINE_BYTES);
          const last = Math.floor((address + offset + size - 1) / LINE_BYTES);
          expect([address, marked(module)]).toEqual([address, first === last ? [first] : [first, last]]);
          clear(module);
        }
      }
    }
  });

  it('of a bulk instruction are those of the lines that it wrote to', () => {
    const fill = [0x20, 0, 0x41, 1, 0x20, 2, 0xfc, 11, 0, ...markedRange(), 0x0b];
    const module = moduleOf([VALUE_TYPE.i32, VALUE_TYPE.i32, VALUE_TYPE.i32], [0, ...fill]);
    for (const from of [0, 1, 63, 64, 100]) {
      for (const length of [1, 2, 63, 64, 65, 300]) {
        module.run(from, 0, length);
        expect([from, length, marked(module)]).toEqual([from, length, written(module)]);
        clear(module);
      }
    }
    module.run(128, 0, 0);
    expect(marked(module)).toEqual([]);
  });
});
