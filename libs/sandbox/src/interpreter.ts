import type { EngineExports, Value } from './exports.js';
import { LimitHit, type Instance } from './instance.js';

const UNDEFINED: Value = 3n << 32n;
const TAG = { exception: 6n, string: -7n, rope: -6n } as const;
const tagOf = (value: Value): bigint => BigInt.asIntN(32, value >> 32n);
const JOBS_PER_CHECK = 256;
/** Where in the scratch area what lies; strings take the rest. */
const SCRATCH = { argument: 0, length: 8, context: 16, name: 32, text: 256 } as const;

/** Addresses of the interpreter's roots; the same in every instance at one baseline. */
export interface Roots {
  readonly runtime: number;
  readonly context: number;
  readonly activate: Value;
  readonly drain: Value;
}

/** The code inside threw something that it did not catch. */
export class GuestError extends Error {
  readonly stackText: string;

  constructor(message: string, stackText: string) {
    super(message);
    this.stackText = stackText;
  }
}

/** A thin binding over QuickJS's C API: no handles, nothing left allocated after a call. */
export class Interpreter {
  readonly #instance: Instance;
  readonly #wasm: EngineExports;
  readonly #runtime: number;
  readonly #context: number;
  readonly #scratch: number;

  constructor(instance: Instance, runtime: number, context: number) {
    this.#instance = instance;
    this.#wasm = instance.exports;
    this.#runtime = runtime;
    this.#context = context;
    this.#scratch = instance.engine.stackBytes;
  }

  /** Calls `callee` with one string or nothing; frees what it returns. */
  send(callee: Value, text: string): void {
    const wasm = this.#wasm;
    const argument = this.#newString(text);
    const at = this.#scratch + SCRATCH.argument;
    this.#instance.words.setBigUint64(at, BigInt.asUintN(64, argument), true);
    const result = wasm.JS_Call(this.#context, callee, UNDEFINED, 1, at);
    wasm.JS_FreeValue(this.#context, argument);
    this.#throwIfException(result);
    wasm.JS_FreeValue(this.#context, result);
  }

  /** Calls `callee`, which must return a string. */
  receive(callee: Value, bytesMax: number): string {
    const result = this.#wasm.JS_Call(this.#context, callee, UNDEFINED, 0, 0);
    this.#throwIfException(result);
    const tag = tagOf(result);
    if (tag !== TAG.string && tag !== TAG.rope) throw new GuestError('the entry did not return a string', '');
    const text = this.#takeText(result, bytesMax);
    if (text === undefined) throw new LimitHit('output', `the activation's output is over ${bytesMax} bytes`);
    return text;
  }

  /** Runs the pending jobs, and those that they enqueue, until none is left. */
  runJobs(): void {
    const at = this.#scratch + SCRATCH.context;
    for (let count = 1; ; count++) {
      const outcome = this.#wasm.JS_ExecutePendingJob(this.#runtime, at);
      if (outcome === 0) return;
      if (outcome < 0) throw this.#takeException();
      if (count % JOBS_PER_CHECK === 0) this.#instance.checkDeadline();
    }
  }

  /** Evaluates the script at `pointer`, which a zero byte must follow. */
  evaluate(pointer: number, byteLength: number, fileName: string): void {
    const name = this.#writeName(fileName);
    const result = this.#wasm.JS_Eval(this.#context, pointer, byteLength, name, 0);
    this.#throwIfException(result);
    this.#wasm.JS_FreeValue(this.#context, result);
  }

  /** A property of the global object's property `object`, to be kept: it is not freed. */
  lookUp(object: string, property: string): Value {
    const global = this.#wasm.JS_GetGlobalObject(this.#context);
    const holder = this.#property(global, object);
    const value = this.#property(holder, property);
    this.#wasm.JS_FreeValue(this.#context, holder);
    this.#wasm.JS_FreeValue(this.#context, global);
    return value;
  }

  collectGarbage(): void {
    this.#wasm.JS_RunGC(this.#runtime);
  }

  #property(object: Value, name: string): Value {
    const value = this.#wasm.JS_GetPropertyStr(this.#context, object, this.#writeName(name));
    this.#throwIfException(value);
    return value;
  }

  #writeName(name: string): number {
    const at = this.#scratch + SCRATCH.name;
    const length = this.#instance.bytes.write(name, at, SCRATCH.text - SCRATCH.name - 1, 'latin1');
    this.#instance.bytes[at + length] = 0;
    return at;
  }

  /** A lone surrogate becomes U+FFFD, here and in what is taken out. */
  #newString(text: string): Value {
    const at = this.#scratch + SCRATCH.text;
    const room = this.#instance.engine.dataStart - at;
    if (text.length * 3 <= room || Buffer.byteLength(text, 'utf8') <= room) {
      const written = this.#instance.bytes.write(text, at, room, 'utf8');
      const value = this.#wasm.JS_NewStringLen(this.#context, at, written);
      // Here other realms' texts come to lie as well, and no realm's lines are: nothing else takes it away.
      this.#instance.bytes.fill(0, at, at + written);
      return value;
    }
    const length = Buffer.byteLength(text, 'utf8');
    const pointer = this.#wasm.malloc(length + 1);
    this.#instance.bytes.write(text, pointer, length, 'utf8');
    this.#instance.vault.mark(pointer, pointer + length);
    const value = this.#wasm.JS_NewStringLen(this.#context, pointer, length);
    this.#wasm.free(pointer);
    return value;
  }

  /** Reads a string and frees the value; nothing when it is longer than allowed. */
  #takeText(value: Value, bytesMax: number): string | undefined {
    const lengthAt = this.#scratch + SCRATCH.length;
    const pointer = this.#wasm.JS_ToCStringLen2(this.#context, lengthAt, value, 0);
    if (pointer === 0) throw this.#takeException();
    const length = this.#instance.words.getUint32(lengthAt, true);
    const text = length > bytesMax ? undefined : this.#instance.bytes.toString('utf8', pointer, pointer + length);
    this.#wasm.JS_FreeCString(this.#context, pointer);
    this.#wasm.JS_FreeValue(this.#context, value);
    return text;
  }

  #throwIfException(value: Value): void {
    if (tagOf(value) === TAG.exception) throw this.#takeException();
  }

  #takeException(): GuestError {
    const exception = this.#wasm.JS_GetException(this.#context);
    try {
      const stack = this.#wasm.JS_GetPropertyStr(this.#context, exception, this.#writeName('stack'));
      const stackText = tagOf(stack) === TAG.string ? (this.#takeText(stack, 64 * 1024) ?? '') : '';
      return new GuestError(this.#takeText(exception, 64 * 1024) ?? 'an error with a very long message', stackText);
    } catch (thrown) {
      if (thrown instanceof GuestError) return new GuestError('an error that cannot be shown', '');
      throw thrown;
    }
  }
}
