/** Something with a time. `heapIndex` belongs to the heap; -1 outside of it. */
export interface Alarm {
  /** Orders what is due at one moment: the same before a restart and after it. */
  readonly key: string;
  atMs: number;
  heapIndex: number;
}

const isBefore = (a: Alarm, b: Alarm): boolean => a.atMs < b.atMs || (a.atMs === b.atMs && a.key < b.key);

/** A binary min-heap by time whose items know their place, so that an alarm can be moved or removed in O(log n) and leaves nothing behind. */
export class AlarmHeap<T extends Alarm> {
  readonly #items: T[] = [];

  get size(): number {
    return this.#items.length;
  }

  peek(): T | undefined {
    return this.#items[0];
  }

  /** Adds the item or moves it. `Infinity` removes it. */
  set(item: T, atMs: number): void {
    if (atMs === Infinity) return this.remove(item);
    if (item.heapIndex < 0) {
      item.atMs = atMs;
      item.heapIndex = this.#items.length;
      this.#items.push(item);
      this.#up(item.heapIndex);
    } else if (atMs !== item.atMs) {
      const earlier = atMs < item.atMs;
      item.atMs = atMs;
      if (earlier) this.#up(item.heapIndex);
      else this.#down(item.heapIndex);
    }
  }

  remove(item: T): void {
    const index = item.heapIndex;
    if (index < 0) return;
    item.heapIndex = -1;
    const last = this.#items.pop()!;
    if (last === item) return;
    this.#place(last, index);
    this.#up(index);
    this.#down(last.heapIndex);
  }

  clear(): void {
    for (const item of this.#items) item.heapIndex = -1;
    this.#items.length = 0;
  }

  #up(start: number): void {
    const item = this.#items[start]!;
    let index = start;
    while (index > 0) {
      const parent = (index - 1) >> 1;
      if (!isBefore(item, this.#items[parent]!)) break;
      this.#place(this.#items[parent]!, index);
      index = parent;
    }
    this.#place(item, index);
  }

  #down(start: number): void {
    const item = this.#items[start]!;
    const { length } = this.#items;
    let index = start;
    for (;;) {
      let child = 2 * index + 1;
      if (child >= length) break;
      if (child + 1 < length && isBefore(this.#items[child + 1]!, this.#items[child]!)) child++;
      if (!isBefore(this.#items[child]!, item)) break;
      this.#place(this.#items[child]!, index);
      index = child;
    }
    this.#place(item, index);
  }

  #place(item: T, index: number): void {
    this.#items[index] = item;
    item.heapIndex = index;
  }
}
