import assert from 'node:assert/strict';
import type { Baseline } from './baseline.js';
import type { Engine } from './engine.js';
import { Instance } from './instance.js';
import { Interpreter } from './interpreter.js';
import { createLineMover, MARKS_PER_WORD, RECORD_BYTES, type LineMover } from './line-mover.js';
import { WASM_PAGE_BYTES } from './limits.js';
import type { RealmMemory, RecordBuffers } from './realm-memory.js';
import { LINE_BYTES, LINE_SHIFT } from './wasm-marks.js';

/**
 * An instance on which realms of one bundle take turns. Between them its memory is the baseline's, byte for byte: the lines that a realm wrote are taken out, and what
 * lay there is put back. So the interpreter, its stack and all that realms have in common stay in the processor's caches, and a realm that waits is some 20 KB.
 *
 * The vault holds the marks, then the baseline, then room for records on their way.
 */
export class Stage {
  readonly instance: Instance;
  readonly interpreter: Interpreter;
  readonly #baseline: Baseline;
  readonly #buffers: RecordBuffers;
  readonly #mover: LineMover;
  /** Where in the vault the baseline lies, and where records do. */
  readonly #pristineAt: number;
  readonly #recordsAt: number;
  /** Whose memory it holds; nobody's, or a closed realm's. */
  #on: RealmMemory | undefined;

  constructor(engine: Engine, baseline: Baseline, buffers: RecordBuffers) {
    this.#baseline = baseline;
    this.#buffers = buffers;
    this.instance = new Instance(engine);
    this.interpreter = new Interpreter(this.instance, baseline.roots.runtime, baseline.roots.context);
    this.#mover = createLineMover(this.instance.exports);
    const { vault } = this.instance;
    assert(engine.dataStart % (LINE_BYTES * MARKS_PER_WORD) === 0, 'marks of the realm begin with a word of them');
    this.#pristineAt = vault.marksBytes;
    this.#recordsAt = this.#pristineAt + baseline.image.length;
    vault.reserve(this.#recordsAt);
    baseline.image.copy(vault.bytes, this.#pristineAt);
    this.instance.load(baseline);
  }

  /** Bytes that it holds beyond what its bundle needs. */
  get surplusBytes(): number {
    return (this.instance.physicalPages - this.#baseline.pages) * WASM_PAGE_BYTES;
  }

  /** Makes this realm's memory the instance's. */
  enter(memory: RealmMemory): void {
    if (this.#on === memory) return;
    this.leave();
    this.#putIn(memory);
    this.#on = memory;
  }

  holds(memory: RealmMemory): boolean {
    return this.#on === memory;
  }

  /** Gives the realm on it its memory, and stands at the baseline again. */
  leave(): void {
    const end = this.#takeOut();
    const on = this.#on;
    if (on === undefined) return;
    if (!on.isCurrent) this.#keep(on, end);
    this.#on = undefined;
  }

  /** The realm has this stage to itself: its records are no longer needed. */
  stay(memory: RealmMemory): void {
    memory.dropRecords(this.#buffers);
  }

  /** The realm is gone; what it left goes with the next that enters. */
  forget(memory: RealmMemory): void {
    if (this.#on === memory) this.#on = undefined;
  }

  /** Makes sure that `revert` can go back to this moment. The realm is on the stage. */
  save(memory: RealmMemory): void {
    assert(this.#on === memory, 'what is saved is on the stage');
    if (memory.isCurrent) return;
    const end = this.#takeOut();
    this.#keep(memory, end);
    this.#mover.putIn(this.#recordsAt, end);
  }

  /** Undoes all since `save`. */
  revert(memory: RealmMemory): void {
    assert(this.#on === memory, 'what is undone is on the stage');
    this.#takeOut();
    this.#putIn(memory);
  }

  #takeOut(): number {
    const { instance } = this;
    const { engine, vault } = instance;
    const [first, end] = [engine.dataStart >>> LINE_SHIFT, (instance.pages * WASM_PAGE_BYTES) >>> LINE_SHIFT];
    vault.reserve(this.#recordsAt + (end - first) * RECORD_BYTES);
    return this.#mover.takeOut(first, end, this.#recordsAt, this.#pristineAt - engine.dataStart, engine.dataStart + this.#baseline.image.length);
  }

  /** When there is no room to keep it, all is as it was before it was taken out. */
  #keep(memory: RealmMemory, end: number): void {
    const length = end - this.#recordsAt;
    try {
      memory.records = this.#buffers.roomFor(length, memory.records);
    } catch (thrown) {
      this.#mover.putIn(this.#recordsAt, end);
      throw thrown;
    }
    memory.length = length;
    memory.pages = this.instance.pages;
    this.instance.vault.bytes.copy(memory.records, 0, this.#recordsAt, end);
    memory.isCurrent = true;
  }

  #putIn(memory: RealmMemory): void {
    const { instance } = this;
    instance.reserve(memory.pages);
    instance.pages = memory.pages;
    instance.stackPointer = instance.engine.stackBytes;
    instance.vault.reserve(this.#recordsAt + memory.length);
    memory.records.copy(instance.vault.bytes, this.#recordsAt, 0, memory.length);
    this.#mover.putIn(this.#recordsAt, this.#recordsAt + memory.length);
    memory.isCurrent = true;
  }
}
