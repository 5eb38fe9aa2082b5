import assert from 'node:assert/strict';
import { codeStart, instructions, OPCODE, readUnsigned, writeSigned, writeUnsigned } from './wasm-code.js';

/**
 * Changes the interpreter's module at load, so that its limits hold whatever the code inside it does:
 *
 * 1. The memory gets a `maximum`.
 * 2. `memory.grow` becomes a call to the host, which hears of every growth and stops the activation when one is refused.
 * 3. `memory.size` reads the exported global `pages`, which the host sets: an instance that grew once can serve a small realm again.
 * 4. The C stack, which lies below all data, begins at `stackBytes`: running over it leaves the memory, which is a trap.
 */
export interface PatchOptions {
  readonly initialPages: number;
  readonly maximumPages: number;
  readonly stackBytes: number;
  /** Name of an imported function `(i32) -> i32` that stands in for `memory.grow`. */
  readonly growImport: string;
}

export interface Patched {
  readonly bytes: Uint8Array;
  /** Where data begins; what lies below is stack. */
  readonly dataStart: number;
  /** Pages of a fresh memory, as the module's author meant it. */
  readonly freshPages: number;
}

interface Section {
  readonly id: number;
  readonly body: Uint8Array;
}

const SECTION = { import: 2, memory: 5, global: 6, export: 7, code: 10 } as const;
const PAGES_GLOBAL = 1;

function sectionsOf(module: Uint8Array): Section[] {
  const sections: Section[] = [];
  for (let p = 8; p < module.length; ) {
    const { value: length, next } = readUnsigned(module, p + 1);
    sections.push({ id: module[p]!, body: module.subarray(next, next + length) });
    p = next + length;
  }
  return sections;
}

function assemble(sections: readonly Section[]): Uint8Array {
  const parts: Uint8Array[] = [Uint8Array.of(0x00, 0x61, 0x73, 0x6d, 1, 0, 0, 0)];
  for (const { id, body } of sections) parts.push(Uint8Array.of(id, ...writeUnsigned(body.length)), body);
  return Buffer.concat(parts);
}

const bodyOf = (sections: readonly Section[], id: number): Uint8Array => {
  const section = sections.find((candidate) => candidate.id === id);
  assert(section, `the module has no section ${id}`);
  return section.body;
};

const nameAt = (body: Uint8Array, at: number): { name: string; next: number } => {
  const { value: length, next } = readUnsigned(body, at);
  return { name: Buffer.from(body.subarray(next, next + length)).toString('latin1'), next: next + length };
};

function importIndex(body: Uint8Array, wanted: string): number {
  let { value: count, next: p } = readUnsigned(body, 0);
  for (let index = 0; count > 0; count--, index++) {
    const { name, next } = nameAt(body, nameAt(body, p).next);
    assert(body[next] === 0, 'every import is a function');
    if (name === wanted) return index;
    p = readUnsigned(body, next + 1).next;
  }
  throw new Error(`the module does not import ${wanted}`);
}

/** The one global of the module is the stack pointer, `(global (mut i32) (i32.const dataStart))`. */
function patchGlobals(body: Uint8Array, stackBytes: number): { body: Uint8Array; dataStart: number } {
  assert(body[0] === 1 && body[1] === 0x7f && body[2] === 1 && body[3] === 0x41, 'the stack pointer is the only global');
  const { value: dataStart } = readUnsigned(body, 4);
  assert(stackBytes < dataStart, 'the stack fits below the data');
  const globalOf = (value: number): number[] => [0x7f, 1, 0x41, ...writeSigned(value), OPCODE.end];
  return { body: Uint8Array.of(2, ...globalOf(stackBytes), ...globalOf(0)), dataStart };
}

function patchMemory(body: Uint8Array, options: PatchOptions): { body: Uint8Array; freshPages: number } {
  assert(body[0] === 1, 'the module has one memory');
  const { value: freshPages } = readUnsigned(body, 2);
  assert(freshPages <= options.initialPages, 'the pooled size holds the fresh memory');
  return { body: Uint8Array.of(1, 1, ...writeUnsigned(options.initialPages), ...writeUnsigned(options.maximumPages)), freshPages };
}

function patchExports(body: Uint8Array): Uint8Array {
  const { value: count, next } = readUnsigned(body, 0);
  const name = Buffer.from('pages');
  return Buffer.concat([Uint8Array.from(writeUnsigned(count + 1)), body.subarray(next), Uint8Array.of(name.length, ...name, 3, PAGES_GLOBAL)]);
}

/** Both replacements are two bytes for two, so no size changes. */
function patchCode(body: Uint8Array, growIndex: number): Uint8Array {
  assert(growIndex < 0x80, 'the call fits in two bytes');
  const code = Uint8Array.from(body);
  let { value: count, next: p } = readUnsigned(code, 0);
  let grown = 0;
  for (; count > 0; count--) {
    const { value: size, next: start } = readUnsigned(code, p);
    p = start + size;
    for (const { at, opcode } of instructions(code, codeStart(code, start), p)) {
      if (opcode === OPCODE.memorySize) code.set([OPCODE.globalGet, PAGES_GLOBAL], at);
      if (opcode === OPCODE.memoryGrow) {
        code.set([OPCODE.call, growIndex], at);
        grown++;
      }
    }
  }
  assert(grown > 0, 'the allocator grows its memory');
  return code;
}

export function patchModule(module: Uint8Array, options: PatchOptions): Patched {
  const sections = sectionsOf(module);
  const growIndex = importIndex(bodyOf(sections, SECTION.import), options.growImport);
  const globals = patchGlobals(bodyOf(sections, SECTION.global), options.stackBytes);
  const memory = patchMemory(bodyOf(sections, SECTION.memory), options);
  const replaced = new Map<number, Uint8Array>([
    [SECTION.global, globals.body],
    [SECTION.memory, memory.body],
    [SECTION.export, patchExports(bodyOf(sections, SECTION.export))],
    [SECTION.code, patchCode(bodyOf(sections, SECTION.code), growIndex)],
  ]);
  const bytes = assemble(sections.map(({ id, body }) => ({ id, body: replaced.get(id) ?? body })));
  return { bytes, dataStart: globals.dataStart, freshPages: memory.freshPages };
}
