import { StoreFault } from '@perdure/delivery';

/**
 * What is left of changes that are to be applied one by one, for a store that applies all deletions, then all insertions, then all
 * updates. A row may be put where none is or where one was deleted; what was only put and deleted again leaves a deletion that finds
 * nothing.
 */
export class Folded<Row, State> {
  readonly #puts = new Map<string, Row>();
  readonly #updates = new Map<string, State>();
  readonly #deletes = new Set<string>();
  readonly #merge: (row: Row, state: State) => Row;

  constructor(merge: (row: Row, state: State) => Row) {
    this.#merge = merge;
  }

  /** @throws StoreFault `contentRefused` when it is there by this batch */
  put(key: string, row: Row): void {
    if (this.#puts.has(key) || this.#updates.has(key)) throw new StoreFault('contentRefused', `${JSON.stringify(key)} is put where it is`);
    this.#puts.set(key, row);
  }

  update(key: string, state: State): void {
    const put = this.#puts.get(key);
    if (put !== undefined) this.#puts.set(key, this.#merge(put, state));
    else if (!this.#deletes.has(key)) this.#updates.set(key, state);
  }

  delete(key: string): void {
    // Also where it was only put by this batch: the store may have had it all the same, and then the put would have failed.
    this.#puts.delete(key);
    this.#updates.delete(key);
    this.#deletes.add(key);
  }

  get puts(): Row[] {
    return [...this.#puts.values()];
  }
  get updates(): [key: string, state: State][] {
    return [...this.#updates];
  }
  get deletes(): string[] {
    return [...this.#deletes];
  }
}
