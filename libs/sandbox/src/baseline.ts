import { createHash } from 'node:crypto';
import { PerdureError } from '@perdure/contract';
import type { Engine } from './engine.js';
import { heapStartOf, zeroFreeMemory } from './free-memory.js';
import { Instance, LimitHit } from './instance.js';
import { GuestError, Interpreter, type Roots } from './interpreter.js';
import { BLOCK_BYTES, WASM_PAGE_BYTES, type SandboxLimits } from './limits.js';
import { LINE_BYTES } from './wasm-marks.js';

/** A bundle's realm just after evaluation: every run of the bundle begins as a copy of it. */
export interface Baseline {
  readonly bundleHash: string;
  readonly hash: string;
  readonly manifest: string;
  readonly roots: Roots;
  readonly pages: number;
  /** Address of the heap's first chunk. */
  readonly heapStart: number;
  /** The memory from `dataStart` on, in whole blocks, without the zeros at its end. */
  readonly image: Buffer;
  /** A byte for each of its lines: 1 where one is not all zeros. */
  readonly written: Uint8Array;
}

/** Date, eval, regexp, JSON, Proxy, Map and Set, typed arrays, Promise, BigInt, DOMException; no WeakRef, no performance. */
const INTRINSICS = 0b1001_1111_1111;

/** Takes away what could block, what shares memory and what tells when garbage is collected. */
const PRELUDE = `for (const name of ['Atomics', 'SharedArrayBuffer', 'WeakRef', 'FinalizationRegistry', 'performance', 'std', 'os', 'bjson', 'gc', 'print', 'scriptArgs'])
  delete globalThis[name];`;

const invalid = (message: string): PerdureError => new PerdureError('bundle-invalid', message);

/** The first place in the bundle that the error's stack names. */
const whereIn = (error: GuestError): string => / \(?(bundle\.js:\d+(?::\d+)?)/.exec(error.stackText)?.[1] ?? '';

function toInvalid(thrown: unknown): unknown {
  if (thrown instanceof LimitHit) return invalid(`the bundle's evaluation hit a limit (${thrown.reason}): ${thrown.message}`);
  if (!(thrown instanceof GuestError)) return thrown;
  const where = whereIn(thrown);
  return invalid(where === '' ? thrown.message : `${thrown.message} (${where})`);
}

/** Writes a script at the memory's upper end, so that the source leaves no hole in the realm's heap. */
function evaluateScript(instance: Instance, interpreter: Interpreter, script: { code: string; fileName: string }): void {
  const length = Buffer.byteLength(script.code, 'utf8');
  const top = instance.engine.maximumPages;
  const pages = Math.ceil((length + 1) / WASM_PAGE_BYTES);
  const at = (top - pages) * WASM_PAGE_BYTES;
  if (top - pages <= instance.pages) throw new LimitHit('memory', 'the bundle does not fit into a realm');
  instance.reserve(top);
  instance.limitPages(top - pages);
  instance.bytes.write(script.code, at, length, 'utf8');
  instance.bytes[at + length] = 0;
  interpreter.evaluate(at, length, script.fileName);
  instance.bytes.fill(0, at, at + length);
  instance.limitPages(top);
}

function bootInterpreter(instance: Instance): { interpreter: Interpreter; runtime: number; context: number; heapStart: number } {
  const wasm = instance.exports;
  const heapStart = heapStartOf(instance);
  wasm._initialize();
  if (wasm.qjs_init2(INTRINSICS) !== 0) throw new LimitHit('memory', 'the interpreter does not start');
  wasm.qjs_set_max_stack_size(0);
  const runtime = wasm.qjs_get_runtime_ptr();
  const context = wasm.qjs_get_context_ptr();
  return { interpreter: new Interpreter(instance, runtime, context), runtime, context, heapStart };
}

function imageOf(instance: Instance): Buffer {
  const { dataStart } = instance.engine;
  let end = instance.pages * WASM_PAGE_BYTES;
  while (end > dataStart && instance.bytes[end - 1] === 0) end--;
  const whole = Math.ceil(end / BLOCK_BYTES) * BLOCK_BYTES;
  return Buffer.from(instance.bytes.subarray(dataStart, whole));
}

const NOTHING = new Uint8Array(0);
const ZERO_LINE = Buffer.alloc(LINE_BYTES);

const writtenLines = (image: Buffer): Uint8Array =>
  Uint8Array.from({ length: image.length / LINE_BYTES }, (_, line) => (image.compare(ZERO_LINE, 0, LINE_BYTES, line * LINE_BYTES, (line + 1) * LINE_BYTES) === 0 ? 0 : 1));

/** One fixed order, constant clock and randomness: the bytes are the same in every process (I7 relies on it). */
export function evaluateBundle(engine: Engine, limits: SandboxLimits, bundle: { hash: string; code: string }): Baseline {
  const instance = new Instance(engine);
  try {
    return instance.run(limits.evaluationMs, () => {
      const { interpreter, runtime, context, heapStart } = bootInterpreter(instance);
      evaluateScript(instance, interpreter, { code: PRELUDE, fileName: 'prelude.js' });
      evaluateScript(instance, interpreter, { code: bundle.code, fileName: 'bundle.js' });
      interpreter.runJobs();
      const manifest = interpreter.receive(interpreter.lookUp('__perdure', 'manifest'), limits.outputBytesMax);
      const roots = { runtime, context, activate: interpreter.lookUp('__perdure', 'activate'), drain: interpreter.lookUp('__perdure', 'drain') };
      interpreter.runJobs();
      interpreter.collectGarbage();
      zeroFreeMemory(instance, { heapStart, runtime, written: NOTHING });
      const image = imageOf(instance);
      const hash = createHash('sha256').update(`${engine.build}\0${instance.pages}\0`).update(image).digest('hex');
      return { bundleHash: bundle.hash, hash, manifest, roots, pages: instance.pages, heapStart, image, written: writtenLines(image) };
    });
  } catch (thrown) {
    throw toInvalid(thrown);
  }
}
