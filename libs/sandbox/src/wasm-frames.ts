import { codeStart, EMPTY_BLOCK, instructions, OPCODE, readUnsigned, writeSigned, writeUnsigned } from './wasm-code.js';

/** A function's code, its locals first. */
export interface Body {
  readonly start: number;
  readonly end: number;
}

const STACK_POINTER = 0;

/** `JSON.parse` nests 9,800 deep with the default stack, and takes less than 8 MB of the host's for it, however it is compiled. */
const FRAME_BYTES = 64;

/**
 * Gives a frame on the C stack to functions that have none, or a small one, and can call themselves. Otherwise no stack of ours bounds how deep they nest:
 * `JSON.parse('['.repeat(n))` goes down until the host thread's own stack ends, and where that is depends on machine, thread and compiler. With a frame the depth is the
 * interpreter's, everywhere.
 *
 * A function that is given one keeps its number, under which a wrapper now stands: it takes the frame, calls the function, which moved to the end, and gives the frame
 * back. A trap or a limit leaves the frame taken, as it does all others; the instance is then destroyed.
 *
 * These are the functions without a frame of `FRAME_BYTES` that lie on a circle of such functions, calling each other by number.
 */
export function functionsToFrame(code: Uint8Array, bodies: readonly Body[], importCount: number): number[] {
  const calls = bodies.map((body) => callsOf(code, body, importCount));
  const isFrameless = calls.map((each) => each !== undefined);
  return bodies.flatMap((_, index) => (isFrameless[index] && reachesItself(index, calls) ? [index] : []));
}

/** Where straight code ends. */
const BRANCHES: ReadonlySet<number> = new Set([OPCODE.block, OPCODE.loop, OPCODE.if, OPCODE.call, OPCODE.callIndirect, OPCODE.end]);

/** What it calls, by own numbers; `undefined` when it begins by taking a frame that is large enough. One that takes it later may call itself before it does. */
function callsOf(code: Uint8Array, { start, end }: Body, importCount: number): number[] | undefined {
  const called = new Set<number>();
  let isStraight = true;
  let constant = 0;
  for (const { at, opcode } of instructions(code, codeStart(code, start), end)) {
    if (isStraight && opcode === OPCODE.i32Const) constant = readUnsigned(code, at + 1).value;
    if (isStraight && opcode === OPCODE.globalSet && code[at + 1] === STACK_POINTER && constant >= FRAME_BYTES) return undefined;
    isStraight &&= !BRANCHES.has(opcode);
    if (opcode === OPCODE.call) called.add(readUnsigned(code, at + 1).value - importCount);
  }
  return [...called].filter((index) => index >= 0);
}

function reachesItself(from: number, calls: readonly (readonly number[] | undefined)[]): boolean {
  const seen = new Set<number>();
  const next = [...calls[from]!];
  for (let index = next.pop(); index !== undefined; index = next.pop()) {
    if (index === from) return true;
    if (seen.has(index)) continue;
    seen.add(index);
    next.push(...(calls[index] ?? []));
  }
  return false;
}


/** Takes a frame, calls `inner` with its own arguments, gives the frame back. Below the stack it stops at once. */
export function wrapperOf(inner: number, parameterCount: number): Uint8Array {
  const move = (operation: number): number[] => [OPCODE.globalGet, STACK_POINTER, OPCODE.i32Const, ...writeSigned(FRAME_BYTES), operation, OPCODE.globalSet, STACK_POINTER];
  const parameters = Array.from({ length: parameterCount }, (_, index) => [OPCODE.localGet, ...writeUnsigned(index)]).flat();
  const check = [OPCODE.globalGet, STACK_POINTER, OPCODE.i32Const, 0, OPCODE.i32LtS, OPCODE.if, EMPTY_BLOCK, OPCODE.unreachable, OPCODE.end];
  const code = [0, ...move(OPCODE.i32Sub), ...check, ...parameters, OPCODE.call, ...writeUnsigned(inner), ...move(OPCODE.i32Add), OPCODE.end];
  return Uint8Array.from([...writeUnsigned(code.length), ...code]);
}

/** How many parameters each of the module's function types has. */
export function parameterCounts(types: Uint8Array): number[] {
  let { value: count, next: p } = readUnsigned(types, 0);
  const counts: number[] = [];
  for (; count > 0; count--) {
    const parameters = readUnsigned(types, p + 1);
    const results = readUnsigned(types, parameters.next + parameters.value);
    counts.push(parameters.value);
    p = results.next + results.value;
  }
  return counts;
}
