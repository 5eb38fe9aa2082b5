import { readFile } from 'node:fs/promises';
import { fileURLToPath } from 'node:url';
import { beforeAll, describe, expect, it } from '@jest/globals';
import { codeStart, instructions, OPCODE, readUnsigned, writeSigned, writeUnsigned } from './wasm-code.js';
import { patchModule } from './wasm-patch.js';

const OPTIONS = { maximumPages: 100, stackBytes: 65_536, exports: new Set(['memory', 'malloc']), growImport: 'fd_close', tickImport: 'host_interrupt' };

describe('patchModule', () => {
  let source: Uint8Array;
  beforeAll(async () => {
    source = await readFile(fileURLToPath(import.meta.resolve('quickjs-wasi/quickjs.wasm')));
  });

  it('makes a valid module with the wanted exports and no way to grow by itself', () => {
    const { bytes, dataStart, freshPages } = patchModule(source, OPTIONS);
    const module = new WebAssembly.Module(bytes as BufferSource);
    expect(WebAssembly.Module.exports(module).map(({ name }) => name)).toEqual(['memory', 'malloc', 'pages', 'fuel', 'vault']);
    expect(opcodesOf(bytes)).not.toContain(OPCODE.memoryGrow);
    expect(opcodesOf(bytes)).not.toContain(OPCODE.memorySize);
    expect([dataStart, freshPages]).toEqual([1_048_576, 18]);
  });

  it('burns fuel in every loop', () => {
    const { bytes } = patchModule(source, OPTIONS);
    const opcodes = opcodesOf(bytes);
    const loops = opcodes.flatMap((opcode, index) => (opcode === OPCODE.loop ? [opcodes[index + 1]] : []));
    expect(loops.length).toBe(opcodesOf(source).filter((opcode) => opcode === OPCODE.loop).length);
    expect(new Set(loops)).toEqual(new Set([OPCODE.globalGet]));
  });

  it('puts a wrapper before what may call itself with too small a frame', () => {
    const { bytes } = patchModule(source, OPTIONS);
    expect(opcodesOf(bytes).filter((opcode) => opcode === OPCODE.unreachable).length - opcodesOf(source).filter((opcode) => opcode === OPCODE.unreachable).length).toBe(85);
  });

  it('is the same every time', () => {
    expect(Buffer.from(patchModule(source, OPTIONS).bytes).equals(Buffer.from(patchModule(source, OPTIONS).bytes))).toBe(true);
  });

  it('stops at a module that is not as it expects', () => {
    expect(() => patchModule(source, { ...OPTIONS, growImport: 'no_such_import' })).toThrow('does not import no_such_import');
    expect(() => patchModule(source, { ...OPTIONS, exports: new Set(['no_such_export']) })).toThrow('exports all that is used');
    expect(() => patchModule(source, { ...OPTIONS, stackBytes: 2 ** 21 })).toThrow('fits below');
    expect(() => [...instructions(Uint8Array.of(0xfd, 0), 0, 2)]).toThrow('unknown WebAssembly opcode 0xfd');
  });
});

describe('LEB128', () => {
  it.each([0, 1, 63, 64, 127, 128, 65_536, 1_048_576, 2 ** 31 - 1])('writes %d and reads it again', (value) => {
    expect(readUnsigned(Uint8Array.from(writeUnsigned(value)), 0).value).toBe(value);
    expect(writeSigned(value).at(-1)! & 0xc0).toBe(0);
  });
});

const CODE_SECTION = 10;

function opcodesOf(module: Uint8Array): number[] {
  for (let p = 8; p < module.length; ) {
    const { value: length, next } = readUnsigned(module, p + 1);
    if (module[p] === CODE_SECTION) return opcodesIn(module, next);
    p = next + length;
  }
  return [];
}

function opcodesIn(module: Uint8Array, at: number): number[] {
  const opcodes: number[] = [];
  let { value: count, next: p } = readUnsigned(module, at);
  for (; count > 0; count--) {
    const { value: size, next: start } = readUnsigned(module, p);
    p = start + size;
    for (const { opcode } of instructions(module, codeStart(module, start), p)) opcodes.push(opcode);
  }
  return opcodes;
}
