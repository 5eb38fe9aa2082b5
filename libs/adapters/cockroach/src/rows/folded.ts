import { StoreFault } from '@perdure/delivery';

type Change<Row, State> = { readonly kind: 'put'; readonly row: Row } | { readonly kind: 'update'; readonly state: State } | { readonly kind: 'delete' };

/** What changes that are to be applied one by one come to, a change a key: then many rows go by one statement. */
export class Folded<Row, State> {
  readonly #changes = new Map<string, Change<Row, State>>();
  readonly #merge: (row: Row, state: State) => Row;

  constructor(merge: (row: Row, state: State) => Row) {
    this.#merge = merge;
  }

  /** @throws StoreFault `contentRefused` when these changes have put it, and not deleted it since */
  put(key: string, row: Row): void {
    if (this.#changes.get(key)?.kind === 'put') throw new StoreFault('contentRefused', `${JSON.stringify(key)} is put where it is`);
    this.#changes.set(key, { kind: 'put', row });
  }

  update(key: string, state: State): void {
    const before = this.#changes.get(key);
    if (before?.kind === 'put') this.#changes.set(key, { kind: 'put', row: this.#merge(before.row, state) });
    else if (before?.kind !== 'delete') this.#changes.set(key, { kind: 'update', state });
  }

  /** Also of what these changes have put: the store may have had it before. */
  delete(key: string): void {
    this.#changes.set(key, { kind: 'delete' });
  }

  get puts(): Row[] {
    return [...this.#changes.values()].flatMap((change) => (change.kind === 'put' ? [change.row] : []));
  }
  get updates(): [key: string, state: State][] {
    return [...this.#changes].flatMap(([key, change]): [string, State][] => (change.kind === 'update' ? [[key, change.state]] : []));
  }
  get deletes(): string[] {
    return [...this.#changes].flatMap(([key, { kind }]) => (kind === 'delete' ? [key] : []));
  }
}
