const [FREE, TAKEN] = [0, 1];

/** Lets one of those who ask go on at a time. */
export interface Turns {
  run<T>(work: () => Promise<T>): Promise<T>;
}

/** Of the threads that share its memory: when the process dies in the midst of a suspect, no other one was in hand. */
export class ThreadTurns implements Turns {
  readonly #flag: Int32Array<SharedArrayBuffer>;

  constructor(memory: SharedArrayBuffer) {
    this.#flag = new Int32Array(memory);
  }

  static createMemory(): SharedArrayBuffer {
    return new SharedArrayBuffer(Int32Array.BYTES_PER_ELEMENT);
  }

  async run<T>(work: () => Promise<T>): Promise<T> {
    while (Atomics.compareExchange(this.#flag, 0, FREE, TAKEN) !== FREE) await Atomics.waitAsync(this.#flag, 0, TAKEN).value;
    try {
      return await work();
    } finally {
      Atomics.store(this.#flag, 0, FREE);
      Atomics.notify(this.#flag, 0, 1);
    }
  }
}
