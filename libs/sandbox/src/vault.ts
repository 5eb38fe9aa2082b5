import { Buffer } from 'node:buffer';
import { WASM_PAGE_BYTES } from './limits.js';
import { LINE_SHIFT } from './wasm-marks.js';

/** The module's second memory: marks from its begin on, a byte for each line of the first; behind them what the host lays there. */
export class Vault {
  readonly #memory: WebAssembly.Memory;
  /** Length of the marks. */
  readonly marksBytes: number;
  /** The whole vault; renewed when it grows. */
  bytes: Buffer;

  constructor(memory: WebAssembly.Memory) {
    this.#memory = memory;
    this.bytes = Buffer.from(memory.buffer);
    this.marksBytes = this.bytes.length;
  }

  /** Makes sure that the vault has so many bytes. */
  reserve(bytes: number): void {
    const missing = Math.ceil((bytes - this.bytes.length) / WASM_PAGE_BYTES);
    if (missing <= 0) return;
    this.#memory.grow(missing);
    this.bytes = Buffer.from(this.#memory.buffer);
  }

  /** Says that the host itself wrote from one address up to another. */
  mark(from: number, end: number): void {
    if (end > from) this.bytes.fill(1, from >>> LINE_SHIFT, ((end - 1) >>> LINE_SHIFT) + 1);
  }

  unmarkAll(): void {
    this.bytes.fill(0, 0, this.marksBytes);
  }
}
