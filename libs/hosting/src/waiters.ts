import type { Clock } from '@perdure/clock';

export interface Waiting {
  /** Epoch milliseconds. */
  readonly untilMs: number;
  readonly signal?: AbortSignal | undefined;
  readonly clock: Clock;
}

/** Wakes those who wait for something that a commit may bring. A hint may be lost, so they look again at their deadline. */
export class Waiters {
  readonly #waiting = new Map<string, Set<() => void>>();

  has(key: string): boolean {
    return this.#waiting.has(key);
  }

  wake(keys: readonly string[]): void {
    for (const key of keys) for (const wake of this.#waiting.get(key) ?? []) wake();
  }

  wait(key: string, { untilMs, signal, clock }: Waiting): Promise<void> {
    return new Promise((resolve) => {
      const waiting = this.#waiting.get(key) ?? new Set();
      this.#waiting.set(key, waiting);
      const done = (): void => {
        waiting.delete(done);
        if (waiting.size === 0) this.#waiting.delete(key);
        cancel();
        signal?.removeEventListener('abort', done);
        resolve();
      };
      const cancel = clock.at(untilMs, done);
      waiting.add(done);
      signal?.addEventListener('abort', done, { once: true });
    });
  }
}
