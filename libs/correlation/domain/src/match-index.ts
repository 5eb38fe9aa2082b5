import type { Scalar } from '@perdure/contract';

/** One thing to be found by the values of its keys. */
export interface Entry {
  readonly order: number;
}

type Keys = Readonly<Record<string, Scalar>>;

/** `7` and `"7"` are different values. */
const valuesKey = (names: readonly string[], keys: Keys): string | undefined => {
  const values: Scalar[] = [];
  for (const name of names) {
    const value = keys[name];
    if (value === undefined) return undefined;
    values.push(value);
  }
  return JSON.stringify(values);
};

export const shapeOf = (match: Keys): readonly string[] => Object.keys(match).sort();

/** Entries by the values of one set of key names, each list in rising order. */
export class ShapeIndex<E extends Entry> {
  readonly names: readonly string[];
  readonly #byValues = new Map<string, E[]>();

  constructor(names: readonly string[]) {
    this.names = names;
  }

  get isEmpty(): boolean {
    return this.#byValues.size === 0;
  }

  add(entry: E, keys: Keys): void {
    const key = valuesKey(this.names, keys);
    if (key === undefined) return;
    const list = this.#byValues.get(key);
    if (!list) this.#byValues.set(key, [entry]);
    else list.splice(position(list, entry.order), 0, entry);
  }

  remove(entry: E, keys: Keys): void {
    const key = valuesKey(this.names, keys);
    const list = key === undefined ? undefined : this.#byValues.get(key);
    if (!list) return;
    const at = position(list, entry.order);
    if (list[at]?.order !== entry.order) return;
    // Mostly the oldest goes, and for that `shift` is the cheaper way.
    if (at === 0) list.shift();
    else list.splice(at, 1);
    if (list.length === 0) this.#byValues.delete(key!);
  }

  find(keys: Keys): readonly E[] {
    const key = valuesKey(this.names, keys);
    return (key === undefined ? undefined : this.#byValues.get(key)) ?? [];
  }
}

/** The entries of several rising lists as one rising sequence; as few are looked at as are taken. */
export function* merged<E extends Entry>(lists: readonly (readonly E[])[]): Generator<E> {
  const next = lists.map(() => 0);
  for (;;) {
    let first = -1;
    for (const [at, list] of lists.entries()) {
      const entry = list[next[at]!];
      if (entry && (first < 0 || entry.order < lists[first]![next[first]!]!.order)) first = at;
    }
    if (first < 0) return;
    yield lists[first]![next[first]!++]!;
  }
}

/** Where `order` is, or would be put: nearly always at the end. */
const position = (list: readonly Entry[], order: number): number => {
  let [low, high] = [0, list.length];
  if (high > 0 && list[high - 1]!.order < order) return high;
  while (low < high) {
    const middle = (low + high) >>> 1;
    if (list[middle]!.order < order) low = middle + 1;
    else high = middle;
  }
  return low;
};
