import { LIMITS } from '@perdure/contract';

/** Closes whose opens are still on their way. Nearly always empty: within one file nothing overtakes. */
const TOMBSTONES_MAX = 100_000;

/** Keys of waits that were closed before they were opened, oldest first, each with the time of the first sweep that saw it. */
export class Tombstones {
  readonly #seenAt = new Map<string, number | undefined>();
  readonly #max: number;

  constructor(max = TOMBSTONES_MAX) {
    this.#max = max;
  }

  get size(): number {
    return this.#seenAt.size;
  }

  /** The one that has to go for it, if they are too many (I9). */
  add(key: string): string | undefined {
    this.#seenAt.set(key, undefined);
    if (this.#seenAt.size <= this.#max) return undefined;
    const oldest = this.#seenAt.keys().next().value!;
    this.#seenAt.delete(oldest);
    return oldest;
  }

  delete(key: string): boolean {
    return this.#seenAt.delete(key);
  }

  /** Those whose open will not come any more. A close carries no time of its own, so age counts from the first sweep. */
  expire(nowMs: number): string[] {
    const expired: string[] = [];
    for (const [key, seenAt] of this.#seenAt) {
      if (seenAt === undefined) this.#seenAt.set(key, nowMs);
      else if (nowMs - seenAt >= LIMITS.eventDedupeMs) expired.push(key);
    }
    for (const key of expired) this.#seenAt.delete(key);
    return expired;
  }

  clear(): void {
    this.#seenAt.clear();
  }
}
