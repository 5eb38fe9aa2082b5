import { performance } from 'node:perf_hooks';

const NEVER = Number.POSITIVE_INFINITY;

export interface TimeSources {
  readonly wallMs: () => number;
  /** CPU time of the thread. */
  readonly cpuMs: () => number;
}

const SYSTEM: TimeSources = {
  wallMs: () => performance.now(),
  cpuMs: () => {
    const { user, system } = process.threadCpuUsage();
    return (user + system) / 1_000;
  },
};

/**
 * Bounds what code may use of its thread. Only the thread's own time counts: on a machine that is busy with others a second can pass in which
 * the code had a tenth of it, and that is no fault of the code. The wall clock, cheaper to read, says when a look is due. CPU time is read at
 * the first look, some milliseconds in, and counts from there: most activations end before any.
 */
export class Stopwatch {
  readonly #sources: TimeSources;
  #durationMs = NEVER;
  #wallEndMs = NEVER;
  #cpuStartMs: number | undefined;

  constructor(sources: TimeSources = SYSTEM) {
    this.#sources = sources;
  }

  start(durationMs: number): void {
    this.#durationMs = durationMs;
    this.#cpuStartMs = undefined;
    this.#wallEndMs = this.#sources.wallMs() + durationMs;
  }

  stop(): void {
    this.#wallEndMs = NEVER;
  }

  get isOver(): boolean {
    if (this.#wallEndMs === NEVER) return false;
    if (this.#cpuStartMs === undefined) {
      this.#cpuStartMs = this.#sources.cpuMs();
      return false;
    }
    return this.#sources.wallMs() > this.#wallEndMs && this.#sources.cpuMs() - this.#cpuStartMs > this.#durationMs;
  }
}
