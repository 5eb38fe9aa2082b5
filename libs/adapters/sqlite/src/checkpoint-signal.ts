const WRITES = 0;
const IS_NEARLY_DONE = 1;
const CELLS = 2;

/** What the thread that writes a shard's file and the one that checkpoints it tell each other, in memory that they share. */
export class CheckpointSignal {
  readonly memory: SharedArrayBuffer;
  readonly #cells: Int32Array<SharedArrayBuffer>;

  constructor(memory = new SharedArrayBuffer(CELLS * Int32Array.BYTES_PER_ELEMENT)) {
    this.memory = memory;
    this.#cells = new Int32Array(memory);
  }

  // ── of the writer ──────────────────────────────────────────────────────────────────────────────────────────────────

  wrote(): void {
    Atomics.add(this.#cells, WRITES, 1);
    Atomics.notify(this.#cells, WRITES);
  }

  /** Whether the checkpoint is to be ended now; says so once. */
  takeNearlyDone(): boolean {
    return Atomics.load(this.#cells, IS_NEARLY_DONE) !== 0 && Atomics.exchange(this.#cells, IS_NEARLY_DONE, 0) !== 0;
  }

  // ── of the checkpointer ────────────────────────────────────────────────────────────────────────────────────────────

  /** Changes with each write. */
  get writes(): number {
    return Atomics.load(this.#cells, WRITES);
  }

  /** Resolves when `writes` is no longer so. */
  async whenWritesDiffer(from: number): Promise<void> {
    const { async: isWaiting, value } = Atomics.waitAsync(this.#cells, WRITES, from);
    if (isWaiting) await value;
  }

  nearlyDone(): void {
    Atomics.store(this.#cells, IS_NEARLY_DONE, 1);
  }
}
