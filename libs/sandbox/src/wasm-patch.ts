import assert from 'node:assert/strict';
import { BULK, EMPTY_BLOCK, type Instruction, instructions, localsOf, OPCODE, readUnsigned, VALUE_TYPE, writeSigned, writeUnsigned } from './wasm-code.js';
import { functionsToFrame, parameterCounts, wrapperOf, type Body } from './wasm-frames.js';
import { isStore, LINE_BYTES, MarkingLocals, markedRange, markedStore, VAULT } from './wasm-marks.js';

/**
 * Changes the interpreter's module at load, so that its limits hold whatever the code inside it does:
 *
 * 1. The memory gets a `maximum`.
 * 2. `memory.grow` becomes a call to the host, which hears of every growth and stops the activation when one is refused.
 * 3. `memory.size` reads the exported global `pages`, which the host sets: an instance that grew once can serve a small realm again.
 * 4. Every loop, and every bulk copy by its length, burns fuel; the host is asked for the time when it is used up. The interpreter's
 *    own interrupts count bytecodes, so its native loops (`new Array(2 ** 32 - 1).join('')` takes minutes) would escape the deadline.
 * 5. The C stack, which lies below all data, begins at `stackBytes`: running over it leaves the memory, which is a trap.
 * 6. Whatever may call itself takes from the C stack (`wasm-frames.ts`), so that 5 bounds every depth.
 * 7. Whatever is written is marked in a second memory, the exported `vault` (`wasm-marks.ts`).
 */
export interface PatchOptions {
  readonly maximumPages: number;
  readonly stackBytes: number;
  /** Those that stay. */
  readonly exports: ReadonlySet<string>;
  /** Name of an imported function `(i32) -> i32` that stands in for `memory.grow`. */
  readonly growImport: string;
  /** Name of an imported function `() -> i32` that is called when the fuel is used up; it must refill the global `fuel`, or throw. */
  readonly tickImport: string;
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

const SECTION = { type: 1, import: 2, function: 3, memory: 5, global: 6, export: 7, code: 10 } as const;
const GLOBAL = { pages: 1, fuel: 2 } as const;
const KIND = { memory: 2, global: 3 } as const;
/** A bulk copy or fill burns one unit for each so many bytes. */
const BYTES_PER_FUEL_SHIFT = 6;

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
  assert(body[0] === 1 && body[1] === VALUE_TYPE.i32 && body[2] === 1 && body[3] === OPCODE.i32Const, 'the stack pointer is the only global');
  const { value: dataStart } = readUnsigned(body, 4);
  assert(stackBytes < dataStart, 'the stack fits below the data');
  const globalOf = (value: number): number[] => [VALUE_TYPE.i32, 1, OPCODE.i32Const, ...writeSigned(value), OPCODE.end];
  return { body: Uint8Array.of(3, ...globalOf(stackBytes), ...globalOf(0), ...globalOf(0)), dataStart };
}

function patchMemory(body: Uint8Array, options: PatchOptions): { body: Uint8Array; freshPages: number } {
  assert(body[0] === 1, 'the module has one memory');
  const { value: freshPages } = readUnsigned(body, 2);
  assert(freshPages <= options.maximumPages, 'the maximum holds the fresh memory');
  const vaultPages = options.maximumPages / LINE_BYTES;
  return { body: Uint8Array.of(2, 1, ...writeUnsigned(freshPages), ...writeUnsigned(options.maximumPages), 0, ...writeUnsigned(Math.ceil(vaultPages))), freshPages };
}

const exported = (name: string, kind: number, index: number): Uint8Array => Uint8Array.of(name.length, ...Buffer.from(name), kind, index);

/** Keeps the named exports and adds the two globals and the second memory. */
function patchExports(body: Uint8Array, keep: ReadonlySet<string>): Uint8Array {
  const parts: Uint8Array[] = [];
  let { value: count, next: p } = readUnsigned(body, 0);
  for (; count > 0; count--) {
    const start = p;
    const { name, next } = nameAt(body, start);
    p = readUnsigned(body, next + 1).next;
    if (keep.has(name)) parts.push(body.subarray(start, p));
  }
  assert(parts.length === keep.size, 'the module exports all that is used of it');
  for (const [name, index] of Object.entries(GLOBAL)) parts.push(exported(name, KIND.global, index));
  parts.push(exported('vault', KIND.memory, VAULT));
  return Buffer.concat([Uint8Array.from(writeUnsigned(parts.length)), ...parts]);
}

/** Adds the type of the bulk functions, `(i32, i32, i32) -> ()`, and tells its index. */
function patchTypes(body: Uint8Array): { body: Uint8Array; bulkType: number } {
  const { value: count, next } = readUnsigned(body, 0);
  return { body: Buffer.concat([Uint8Array.from(writeUnsigned(count + 1)), body.subarray(next), Uint8Array.of(0x60, 3, VALUE_TYPE.i32, VALUE_TYPE.i32, VALUE_TYPE.i32, 0)]), bulkType: count };
}

/** The type of each of the module's own functions. */
function functionTypes(body: Uint8Array): number[] {
  let { value: count, next: p } = readUnsigned(body, 0);
  const types: number[] = [];
  for (; count > 0; count--) {
    const { value, next } = readUnsigned(body, p);
    types.push(value);
    p = next;
  }
  return types;
}

const functionSection = (types: readonly number[]): Uint8Array => Uint8Array.from([...writeUnsigned(types.length), ...types.flatMap((type) => writeUnsigned(type))]);

/** `fuel -= cost; if (fuel < 0) tick()`. */
const burn = (cost: readonly number[], tickIndex: number): number[] => [
  ...[OPCODE.globalGet, GLOBAL.fuel, ...cost, OPCODE.i32Sub, OPCODE.globalSet, GLOBAL.fuel],
  ...[OPCODE.globalGet, GLOBAL.fuel, OPCODE.i32Const, 0, OPCODE.i32LtS, OPCODE.if, EMPTY_BLOCK, OPCODE.call, ...writeUnsigned(tickIndex), OPCODE.drop, OPCODE.end],
];

/** A function that burns fuel for the length, which is the third argument, does the bulk instruction and marks what it wrote. */
function bulkFunction(instruction: readonly number[], tickIndex: number): Uint8Array {
  const cost = [OPCODE.localGet, 2, OPCODE.i32Const, BYTES_PER_FUEL_SHIFT, OPCODE.i32ShrU];
  const code = [0, ...burn(cost, tickIndex), OPCODE.localGet, 0, OPCODE.localGet, 1, OPCODE.localGet, 2, ...instruction, ...markedRange(), OPCODE.end];
  return Uint8Array.from([...writeUnsigned(code.length), ...code]);
}

interface Indexes {
  readonly grow: number;
  readonly tick: number;
  readonly copy: number;
  readonly fill: number;
}

/** What stands in an instruction's place; nothing when it stays. */
function replacementOf({ opcode, sub }: Instruction, to: Indexes): readonly number[] | undefined {
  if (opcode === OPCODE.memorySize) return [OPCODE.globalGet, GLOBAL.pages];
  if (opcode === OPCODE.memoryGrow) return [OPCODE.call, ...writeUnsigned(to.grow)];
  if (opcode !== OPCODE.bulk) return undefined;
  assert(sub !== BULK.init, 'no data is copied into memory but at the start');
  if (sub === BULK.copy) return [OPCODE.call, ...writeUnsigned(to.copy)];
  if (sub === BULK.fill) return [OPCODE.call, ...writeUnsigned(to.fill)];
  return undefined;
}

interface Code extends Body {
  readonly parameters: number;
}

function patchBody(code: Uint8Array, { start, end, parameters }: Code, to: Indexes): Uint8Array[] {
  const parts: Uint8Array[] = [];
  const meter = Uint8Array.from(burn([OPCODE.i32Const, 1], to.tick));
  const own = localsOf(code, start);
  const locals = new MarkingLocals(parameters + own.count);
  let kept = own.end;
  for (const instruction of instructions(code, own.end, end)) {
    const replacement = isStore(instruction) ? markedStore(code, instruction, locals) : replacementOf(instruction, to);
    if (replacement !== undefined) {
      parts.push(code.subarray(kept, instruction.at), Uint8Array.from(replacement));
      kept = instruction.next;
    } else if (instruction.opcode === OPCODE.loop) {
      parts.push(code.subarray(kept, instruction.next), meter);
      kept = instruction.next;
    }
  }
  parts.push(code.subarray(kept, end));
  return [Uint8Array.from(locals.declarations(own.groups, code.subarray(own.start, own.end))), ...parts];
}

function bodiesOf(code: Uint8Array): Body[] {
  const { value: count, next } = readUnsigned(code, 0);
  const bodies: Body[] = [];
  for (let index = 0, p = next; index < count; index++) {
    const { value: size, next: start } = readUnsigned(code, p);
    p = start + size;
    bodies.push({ start, end: p });
  }
  return bodies;
}

/** By number of the function: what stands in its place, while it moves to the end. */
type Wrappers = ReadonlyMap<number, Uint8Array>;

function patchCode(code: Uint8Array, { bodies, to, wrappers }: { readonly bodies: readonly Code[]; readonly to: Indexes; readonly wrappers: Wrappers }): Uint8Array {
  const parts: Uint8Array[] = [Uint8Array.from(writeUnsigned(bodies.length + 2 + wrappers.size))];
  const moved: Uint8Array[] = [];
  for (const [index, body] of bodies.entries()) {
    const patched = patchBody(code, body, to);
    const sized = [Uint8Array.from(writeUnsigned(patched.reduce((sum, part) => sum + part.length, 0))), ...patched];
    const wrapper = wrappers.get(index);
    if (wrapper) moved.push(...sized);
    parts.push(...(wrapper ? [wrapper] : sized));
  }
  parts.push(bulkFunction([OPCODE.bulk, BULK.copy, 0, 0], to.tick), bulkFunction([OPCODE.bulk, BULK.fill, 0], to.tick), ...moved);
  return Buffer.concat(parts);
}

export function patchModule(module: Uint8Array, options: PatchOptions): Patched {
  const sections = sectionsOf(module);
  const imports = bodyOf(sections, SECTION.import);
  const importCount = readUnsigned(imports, 0).value;
  const types = patchTypes(bodyOf(sections, SECTION.type));
  const functions = functionTypes(bodyOf(sections, SECTION.function));
  const globals = patchGlobals(bodyOf(sections, SECTION.global), options.stackBytes);
  const memory = patchMemory(bodyOf(sections, SECTION.memory), options);
  const copy = importCount + functions.length;
  const to: Indexes = { grow: importIndex(imports, options.growImport), tick: importIndex(imports, options.tickImport), copy, fill: copy + 1 };
  const code = bodyOf(sections, SECTION.code);
  const parameters = parameterCounts(bodyOf(sections, SECTION.type));
  const bodies = bodiesOf(code).map((body, index) => ({ ...body, parameters: parameters[functions[index]!]! }));
  const framed = functionsToFrame(code, bodies, importCount);
  const wrappers: Wrappers = new Map(framed.map((index, at) => [index, wrapperOf(copy + 2 + at, bodies[index]!.parameters)]));
  const replaced = new Map<number, Uint8Array>([
    [SECTION.type, types.body],
    [SECTION.function, functionSection([...functions, types.bulkType, types.bulkType, ...framed.map((index) => functions[index]!)])],
    [SECTION.global, globals.body],
    [SECTION.memory, memory.body],
    [SECTION.export, patchExports(bodyOf(sections, SECTION.export), options.exports)],
    [SECTION.code, patchCode(code, { bodies, to, wrappers })],
  ]);
  const bytes = assemble(sections.map(({ id, body }) => ({ id, body: replaced.get(id) ?? body })));
  return { bytes, dataStart: globals.dataStart, freshPages: memory.freshPages };
}
