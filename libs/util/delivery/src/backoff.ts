import type { Clock } from '@perdure/clock';

/** Full at first, then doubling to a bound; jitter only ever shortens. */
export const backoffMs = (tries: number, { firstMs, maxMs, random }: { readonly firstMs: number; readonly maxMs: number; readonly random: () => number }): number =>
  Math.max(1, Math.round(Math.min(maxMs, firstMs * 2 ** Math.min(tries, 30)) * (0.5 + 0.5 * random())));

export interface BackoffOptions {
  readonly clock: Clock;
  /** In [0, 1). */
  readonly random: () => number;
  readonly limits: { readonly retryAfterMs: number; readonly retryAfterMsMax: number };
}

/** Waits that a stop ends at once, longer with each failure in a row, and jittered: a herd that waits does not return as one. */
export class Backoff {
  readonly #options: BackoffOptions;
  #failures = 0;
  #wake: () => void = () => undefined;
  #isStopped = false;

  constructor(options: BackoffOptions) {
    this.#options = options;
  }

  get isStopped(): boolean {
    return this.#isStopped;
  }

  /** The first of a row of failures is worth telling. */
  get isFirst(): boolean {
    return this.#failures === 0;
  }

  succeeded(): void {
    this.#failures = 0;
  }

  afterFailure(): Promise<void> {
    const { random, limits } = this.#options;
    return this.pause(backoffMs(this.#failures++, { firstMs: limits.retryAfterMs, maxMs: limits.retryAfterMsMax, random }));
  }

  pause(ms: number): Promise<void> {
    if (this.#isStopped) return Promise.resolve();
    const { clock } = this.#options;
    return new Promise((resolve) => {
      const cancel = clock.at(clock.now() + ms, resolve);
      this.#wake = () => {
        cancel();
        resolve();
      };
    });
  }

  stop(): void {
    this.#isStopped = true;
    this.#wake();
  }
}
