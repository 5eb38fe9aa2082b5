import type { MessageBody, Origin, SliceName } from './message.js';

/** A message that undoes another (a cancel, a close) and came before it. */
export interface TombstoneRow {
  readonly source: SliceName;
  readonly number: number;
  /** What both name. */
  readonly key: string;
  readonly body: MessageBody;
}

export interface TombstoneChanges {
  readonly put: readonly TombstoneRow[];
  readonly dropped: readonly Pick<TombstoneRow, 'source' | 'number'>[];
}

const idOf = ({ source, number }: Pick<TombstoneRow, 'source' | 'number'>): string => `${source}#${number}`;

/**
 * Messages that wait for what they undo (I4). One stands until the mark of its source passes it: by then all that was numbered before
 * it has come. Changes belong to the batch in hand.
 */
export class Tombstones {
  readonly #rows = new Map<string, TombstoneRow>();
  readonly #put = new Map<string, TombstoneRow>();
  readonly #dropped = new Map<string, TombstoneRow>();

  constructor(rows: readonly TombstoneRow[]) {
    for (const row of rows) this.#rows.set(idOf(row), row);
  }

  get size(): number {
    return this.#rows.size;
  }

  add(row: TombstoneRow): void {
    this.#rows.set(idOf(row), row);
    this.#put.set(idOf(row), row);
  }

  /** Those that stand for one of the keys, set by the same source after the message `number`. */
  standing({ source, number }: Pick<Origin, 'source' | 'number'>, keys: readonly string[]): TombstoneRow[] {
    if (this.#rows.size === 0) return [];
    return [...this.#rows.values()].filter((row) => row.source === source && row.number > number && keys.includes(row.key));
  }

  /** The source has had all below `mark` confirmed. */
  passed(source: SliceName, mark: number): void {
    for (const [id, row] of this.#rows) {
      if (row.source !== source || row.number >= mark) continue;
      this.#rows.delete(id);
      if (!this.#put.delete(id)) this.#dropped.set(id, row);
    }
  }

  takeChanges(): TombstoneChanges {
    return { put: [...this.#put.values()], dropped: [...this.#dropped.values()].map(({ source, number }) => ({ source, number })) };
  }

  committed(): void {
    this.#put.clear();
    this.#dropped.clear();
  }

  takeBack(): void {
    for (const id of this.#put.keys()) this.#rows.delete(id);
    for (const [id, row] of this.#dropped) this.#rows.set(id, row);
    this.committed();
  }
}
