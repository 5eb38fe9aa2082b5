import { parseTraceparent, type InputOutcome } from '@perdure/contract';
import { Waiters } from '@perdure/hosting';
import type { RequestRoots } from '@perdure/telemetry';
import { MESH_LIMITS } from '../mesh-limits.js';
import type { Hints } from './hints.js';

/** What an instance of ingestion has been told lately, and who waits to be told. */
export class HintBoard {
  readonly waiters = new Waiters();
  readonly #outcomes = new Recent<InputOutcome>(MESH_LIMITS.hintsRememberedMax);
  readonly #closed = new Recent<true>(MESH_LIMITS.hintsRememberedMax);
  readonly #requests: RequestRoots | undefined;

  /** `requests`: of this instance, where traces are on. */
  constructor(requests?: RequestRoots) {
    this.#requests = requests;
  }

  hear({ decided, closed, joined = [] }: Hints): void {
    for (const each of joined) {
      const [from, root] = [parseTraceparent(each.from), parseTraceparent(each.root)];
      if (from && root) this.#requests?.join(from, root);
    }
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
