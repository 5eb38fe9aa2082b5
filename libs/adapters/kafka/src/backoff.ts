import type { Clock } from '@perdure/clock';
import type { KafkaLimits } from './kafka-limits.js';

export interface BackoffOptions {
  readonly clock: Clock;
  /** In [0, 1). */
  readonly random: () => number;
  readonly limits: KafkaLimits;
}

/** Waits that grow with each failure in a row, are jittered, and end at once with `stop`. */
export class Backoff {
  readonly #options: BackoffOptions;
  #failures = 0;
  #wake: () => void = () => undefined;
  #isStopped = false;

  constructor(options: BackoffOptions) {
    this.#options = options;
  }

  /** The first of a row of failures is worth telling. */
  get isFirst(): boolean {
    return this.#failures === 0;
  }

  succeeded(): void {
    this.#failures = 0;
  }

  async wait(): Promise<void> {
    if (this.#isStopped) return;
    const { clock, random, limits } = this.#options;
    const ms = Math.min(limits.retryAfterMsMax, limits.retryAfterMs * 2 ** Math.min(this.#failures, 20)) * (0.5 + 0.5 * random());
    this.#failures += 1;
    await new Promise<void>((resolve) => {
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
