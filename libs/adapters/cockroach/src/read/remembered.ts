import type { Clock } from '@perdure/clock';

export interface RememberedOptions {
  readonly clock: Clock;
  /** Counted from before it was asked for, so that nothing older is ever given. */
  readonly forMs: number;
  readonly countMax: number;
}

interface Entry<T> {
  readonly untilMs: number;
  readonly value: Promise<T | undefined>;
}

/** What others may change, asked for once in a while however often it is wanted. What is not there is not remembered: it may be anything. */
export class Remembered<T> {
  readonly #options: RememberedOptions;
  readonly #entries = new Map<string, Entry<T>>();

  constructor(options: RememberedOptions) {
    this.#options = options;
  }

  get(key: string, ask: () => Promise<T | undefined>): Promise<T | undefined> {
    const { clock, forMs, countMax } = this.#options;
    const known = this.#entries.get(key);
    if (known && clock.now() < known.untilMs) return known.value;
    const entry: Entry<T> = { untilMs: clock.now() + forMs, value: ask() };
    this.#entries.delete(key);
    this.#entries.set(key, entry);
    const [oldest] = this.#entries.keys();
    if (this.#entries.size > countMax) this.#entries.delete(oldest!);
    const forget = (): void => {
      if (this.#entries.get(key) === entry) this.#entries.delete(key);
    };
    // Who asked has the rejection itself.
    entry.value.then((value) => value === undefined && forget(), forget);
    return entry.value;
  }

  clear(): void {
    this.#entries.clear();
  }
}
