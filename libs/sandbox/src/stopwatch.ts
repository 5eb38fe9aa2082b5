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
 * the code had a tenth of it, and that is no fault of the code. The wall clock, cheaper to read, says when a look is due.
 */
export class Stopwatch {
  readonly #sources: TimeSources;
  #durationMs = NEVER;
  #wallEndMs = NEVER;
  #cpuStartMs = 0;

  constructor(sources: TimeSources = SYSTEM) {
    this.#sources = sources;
  }

  start(durationMs: number): void {
    this.#durationMs = durationMs;
    this.#cpuStartMs = this.#sources.cpuMs();
    this.#wallEndMs = this.#sources.wallMs() + durationMs;
  }

  stop(): void {
    this.#wallEndMs = NEVER;
  }

  get isOver(): boolean {
    return this.#sources.wallMs() > this.#wallEndMs && this.#sources.cpuMs() - this.#cpuStartMs > this.#durationMs;
  }
}
