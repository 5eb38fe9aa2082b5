import { Buffer } from 'node:buffer';
import type { VoidReason } from '@perdure/contract';
import { GROW_IMPORT, TICK_IMPORT, type Engine } from './engine.js';
import type { EngineExports } from './exports.js';
import { WASM_PAGE_BYTES } from './limits.js';
import { Stopwatch } from './stopwatch.js';
import { Vault } from './vault.js';

/**
 * Thrown by the host's imports through the interpreter's frames. WebAssembly code cannot catch it and neither can the JavaScript
 * inside, so a limit that was hit is a fact. It leaves the instance half-done: it must be destroyed.
 */
export class LimitHit extends Error {
  readonly reason: VoidReason;

  constructor(reason: VoidReason, message: string) {
    super(message);
    this.reason = reason;
  }
}

/** Turns of a loop between two looks at the clock: at most a few milliseconds' worth. */
const FUEL_PER_TICK = 50_000;
const hostStackRanOver = (): LimitHit => new LimitHit('stack', "the host thread's stack ran over");

/**
 * One instance of the interpreter with its own memory, from `dataStart` up the image of a realm; below lie the C stack and, above
 * the stack's begin, a scratch area where the host writes arguments. At rest nothing below `dataStart` has a meaning.
 */
export class Instance {
  readonly engine: Engine;
  readonly exports: EngineExports;
  /** The whole memory; renewed when it grows. */
  bytes: Buffer;
  words: DataView;
  /** Where all that is written to the memory is marked. */
  readonly vault: Vault;
  readonly #stopwatch = new Stopwatch();
  #pagesMax: number;

  constructor(engine: Engine) {
    this.engine = engine;
    this.#pagesMax = engine.maximumPages;
    const instance = new WebAssembly.Instance(engine.module, this.#imports());
    this.exports = instance.exports as unknown as EngineExports;
    this.bytes = Buffer.from(this.exports.memory.buffer);
    this.words = new DataView(this.exports.memory.buffer);
    this.vault = new Vault(this.exports.vault);
    this.pages = engine.freshPages;
  }

  /** Pages that the realm believes to have. */
  get pages(): number {
    return this.exports.pages.value as number;
  }

  set pages(count: number) {
    this.exports.pages.value = count;
  }

  set stackPointer(address: number) {
    this.exports.__stack_pointer.value = address;
  }

  get stackPointer(): number {
    return this.exports.__stack_pointer.value as number;
  }

  /** Runs `work` for so much of the thread's time; whatever goes wrong inside comes out as a LimitHit, and the instance is of no use any more. */
  run<T>(durationMs: number, work: () => T): T {
    this.#stopwatch.start(durationMs);
    try {
      return work();
    } catch (thrown) {
      throw this.#toLimitHit(thrown);
    } finally {
      this.#stopwatch.stop();
    }
  }

  checkDeadline(): void {
    if (this.#stopwatch.isOver) throw new LimitHit('time', 'the activation ran longer than it may');
  }

  /** Called deep inside; when it fails by anything but the deadline, the thread's stack is at its end, whatever the error calls itself. */
  #tick(): number {
    try {
      this.checkDeadline();
      this.exports.fuel.value = FUEL_PER_TICK;
      return 0;
    } catch (thrown) {
      throw thrown instanceof LimitHit ? thrown : hostStackRanOver();
    }
  }

  /** Makes sure that the memory physically holds `pages`, whatever the realm knows of it. */
  reserve(pages: number): void {
    const missing = pages - this.physicalPages;
    if (missing <= 0) return;
    this.exports.memory.grow(missing);
    this.bytes = Buffer.from(this.exports.memory.buffer);
    this.words = new DataView(this.exports.memory.buffer);
  }

  get physicalPages(): number {
    return this.exports.memory.buffer.byteLength / WASM_PAGE_BYTES;
  }

  /** Makes a fresh memory the baseline's; nothing is marked then. */
  load({ pages, image }: { readonly pages: number; readonly image: Buffer }): void {
    this.reserve(pages);
    image.copy(this.bytes, this.engine.dataStart);
    this.pages = pages;
    this.stackPointer = this.engine.stackBytes;
    this.vault.unmarkAll();
  }

  /** Lowers the realm's maximum while the host borrows the memory's upper end. */
  limitPages(pages: number): void {
    this.#pagesMax = pages;
  }

  #grow(delta: number): number {
    const before = this.pages;
    const wanted = before + (delta >>> 0);
    if (wanted > this.#pagesMax) throw new LimitHit('memory', `the realm asked for more than ${this.#pagesMax * WASM_PAGE_BYTES} bytes`);
    try {
      this.reserve(wanted);
    } catch (thrown) {
      if (isStackOverflow(thrown)) throw thrown;
      throw new LimitHit('memory', 'the machine has no memory left for the realm');
    }
    this.pages = wanted;
    return before;
  }

  #toLimitHit(thrown: unknown): unknown {
    if (thrown instanceof LimitHit) return thrown;
    const pointer = this.stackPointer;
    if (isTrap(thrown)) {
      const overrun = pointer < 0 || pointer > this.engine.stackBytes;
      return overrun ? new LimitHit('stack', 'the stack ran over') : new LimitHit('trap', thrown.message);
    }
    if (isStackOverflow(thrown)) return hostStackRanOver();
    return thrown;
  }

  #give(byte: number, pointer: number, count: number): number {
    this.bytes.fill(byte, pointer, pointer + count);
    this.vault.mark(pointer, pointer + count);
    return 0;
  }

  /** Clock, randomness and time zone are constants: code sees those that its own runtime derives from history (I5). */
  #imports(): WebAssembly.Imports {
    const nothing = (): number => 0;
    const badFile = (): number => 8;
    return {
      env: {
        host_get_timezone_offset: nothing,
        [TICK_IMPORT]: () => this.#tick(),
        host_promise_rejection: nothing,
        host_module_normalize: nothing,
        host_module_load: nothing,
        host_call: () => {
          throw new LimitHit('trap', 'a realm has no host functions');
        },
      },
      wasi_snapshot_preview1: {
        clock_time_get: (_clock: number, _precision: bigint, result: number) => this.#give(0, result, 8),
        random_get: (pointer: number, count: number) => this.#give(0x55, pointer, count),
        fd_write: badFile,
        fd_seek: badFile,
        fd_fdstat_get: badFile,
        [GROW_IMPORT]: (delta: number) => this.#grow(delta),
      },
    };
  }
}

/** V8 throws a RangeError when its own stack ends first; by name, since the class may be another realm's. */
const isStackOverflow = (thrown: unknown): boolean =>
  typeof thrown === 'object' && thrown !== null && 'name' in thrown && thrown.name === 'RangeError' && 'message' in thrown && /call stack/.test(String(thrown.message));

const isTrap = (thrown: unknown): thrown is Error => thrown instanceof WebAssembly.RuntimeError || (thrown instanceof Error && thrown.name === 'RuntimeError');
