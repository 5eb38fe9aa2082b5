import type { Clock } from '@perdure/clock';

const FIRST_MS = 50;
/** Short enough that a worker is back within the scheduler's grace after a restart. */
const MAX_MS = 1_000;

/** Resolves at `atMs`, or when the signal aborts. */
export const pauseUntil = (clock: Clock, atMs: number, signal?: AbortSignal): Promise<void> =>
  new Promise((resolve) => {
    if (signal?.aborted) return resolve();
    const done = (): void => {
      cancel();
      signal?.removeEventListener('abort', done);
      resolve();
    };
    const cancel = clock.at(atMs, done);
    signal?.addEventListener('abort', done, { once: true });
  });

/** Delays that grow from try to try, with jitter; success starts them anew. */
export class Backoff {
  readonly #clock: Clock;
  readonly #random: () => number;
  #tries = 0;

  constructor(clock: Clock, random: () => number) {
    this.#clock = clock;
    this.#random = random;
  }

  succeeded(): void {
    this.#tries = 0;
  }

  /** Whether the log should hear of this failure: the first, and ever fewer of those that follow. A server may be away for a night. */
  get isNews(): boolean {
    const tries = this.#tries + 1;
    return (tries & (tries - 1)) === 0;
  }

  pause(signal?: AbortSignal): Promise<void> {
    const delayMs = Math.min(MAX_MS, FIRST_MS * 2 ** Math.min(this.#tries++, 10)) * (0.5 + 0.5 * this.#random());
    return pauseUntil(this.#clock, this.#clock.now() + delayMs, signal);
  }
}
