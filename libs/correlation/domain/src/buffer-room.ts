import { PerdureError } from '@perdure/contract';

/**
 * Who may keep how many events that no run has taken (I9).
 *
 * A tenant may hold as many as there is room left beside all that is held: alone half of the buffer, with another a third each, and so on.
 * So whatever one does there is room for the next, and nobody's share has to be known beforehand.
 */
export class BufferRoom {
  readonly #max: number;
  readonly #held = new Map<string, number>();
  #total = 0;

  constructor(max: number) {
    this.#max = max;
  }

  /** @throws PerdureError `overloaded` */
  assert(events: readonly { readonly tenant: string }[]): void {
    const coming = new Map<string, number>();
    for (const { tenant } of events) coming.set(tenant, (coming.get(tenant) ?? 0) + 1);
    const left = this.#max - this.#total - events.length;
    for (const [tenant, count] of coming) {
      const held = this.#held.get(tenant) ?? 0;
      if (held + count > left) throw new PerdureError('overloaded', `${held} events of this tenant wait for runs that want them, of ${this.#total} in all; there is no room for ${count} more.`);
    }
  }

  take(tenant: string): void {
    this.#total++;
    this.#held.set(tenant, (this.#held.get(tenant) ?? 0) + 1);
  }

  free(tenant: string): void {
    this.#total--;
    const left = (this.#held.get(tenant) ?? 0) - 1;
    if (left > 0) this.#held.set(tenant, left);
    else this.#held.delete(tenant);
  }

  clear(): void {
    this.#total = 0;
    this.#held.clear();
  }
}
