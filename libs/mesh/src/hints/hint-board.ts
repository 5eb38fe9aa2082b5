import type { InputOutcome } from '@perdure/contract';
import { Waiters } from '@perdure/hosting';
import { MESH_LIMITS } from '../mesh-limits.js';
import type { Hints } from './hints.js';

/** What an instance of ingestion has been told lately, and who waits to be told. */
export class HintBoard {
  readonly waiters = new Waiters();
  readonly #outcomes = new Recent<InputOutcome>(MESH_LIMITS.hintsRememberedMax);
  readonly #closed = new Recent<true>(MESH_LIMITS.hintsRememberedMax);

  hear({ decided, closed }: Hints): void {
    for (const { key, outcome } of decided) this.#outcomes.set(key, outcome);
    for (const run of closed) this.#closed.set(run, true);
    this.waiters.wake(decided.map(({ key }) => key));
    this.waiters.wake(closed);
  }

  outcome(key: string): InputOutcome | undefined {
    return this.#outcomes.get(key);
  }

  isClosed(run: string): boolean {
    return this.#closed.get(run) ?? false;
  }
}

/** The newest so many. */
class Recent<T> {
  readonly #max: number;
  readonly #values = new Map<string, T>();

  constructor(max: number) {
    this.#max = max;
  }

  get(key: string): T | undefined {
    return this.#values.get(key);
  }

  set(key: string, value: T): void {
    this.#values.delete(key);
    this.#values.set(key, value);
    if (this.#values.size <= this.#max) return;
    const [oldest] = this.#values.keys();
    if (oldest !== undefined) this.#values.delete(oldest);
  }
}
