import type { Clock } from '@perdure/clock';
import type { EtcdLimits } from './etcd-limits.js';

export interface PatienceOptions {
  readonly clock: Clock;
  /** In [0, 1). */
  readonly random: () => number;
  readonly limits: EtcdLimits;
}

/** Waits that a stop ends at once, longer with each failure in a row, and jittered: a herd that waits does not return as one. */
export class Patience {
  readonly #options: PatienceOptions;
  #failures = 0;
  #stop: (() => void) | undefined;
  #isStopped = false;

  constructor(options: PatienceOptions) {
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
    const ms = Math.min(limits.retryAfterMsMax, limits.retryAfterMs * 2 ** Math.min(this.#failures, 20));
    this.#failures += 1;
    return this.pause(ms * (0.5 + 0.5 * random()));
  }

  pause(ms: number): Promise<void> {
    if (this.#isStopped) return Promise.resolve();
    const { clock } = this.#options;
    return new Promise((resolve) => {
      const cancel = clock.at(clock.now() + ms, resolve);
      this.#stop = () => {
        cancel();
        resolve();
      };
    });
  }

  stop(): void {
    this.#isStopped = true;
    this.#stop?.();
  }
}
