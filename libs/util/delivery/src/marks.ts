import { ALL_GUARDS, type Guards } from '@perdure/guards';
import type { Origin, SliceName } from './message.js';

/** What a receiver has of one source: all below `mark`, and the numbers in `seen`, which are at or above it. */
export interface MarkRow {
  readonly source: SliceName;
  readonly mark: number;
  /** Rising. */
  readonly seen: readonly number[];
}

interface Mark {
  mark: number;
  seen: Set<number>;
}

/**
 * Tells messages that came before from those that did not, in whatever order they come, with no window and no clock (I4).
 *
 * 1. A number is dropped if it is below the highest mark or among those seen.
 * 2. What is seen is kept until the mark passes it: the sender has its confirmation then, and will not send it again for want of it.
 * 3. Changes belong to the batch in hand: `takeBack` undoes them.
 */
export class Marks {
  readonly #guards: Guards;
  readonly #marks = new Map<SliceName, Mark>();
  /** As they were before the batch in hand. */
  readonly #before = new Map<SliceName, MarkRow | undefined>();

  constructor(rows: readonly MarkRow[], guards: Guards = ALL_GUARDS) {
    this.#guards = guards;
    for (const { source, mark, seen } of rows) this.#marks.set(source, { mark, seen: new Set(seen) });
  }

  isRepeat({ source, number }: Pick<Origin, 'source' | 'number'>): boolean {
    if (!this.#guards.has('receiverMarks')) return false;
    const known = this.#marks.get(source);
    return known !== undefined && (number < known.mark || known.seen.has(number));
  }

  add({ source, number, mark }: Origin): void {
    const known = this.#change(source);
    known.seen.add(number);
    if (mark <= known.mark) return;
    known.mark = mark;
    for (const each of known.seen) if (each < mark) known.seen.delete(each);
  }

  /** Whether all that its source numbered before it is here. */
  isComplete({ source, number }: Pick<Origin, 'source' | 'number'>): boolean {
    const known = this.#marks.get(source);
    for (let each = known?.mark ?? 1; each < number; each++) if (!known?.seen.has(each)) return false;
    return true;
  }

  /** Rows that the batch in hand has changed. */
  takeChanges(): MarkRow[] {
    return [...this.#before.keys()].map((source) => this.#row(source)!);
  }

  committed(): void {
    this.#before.clear();
  }

  takeBack(): void {
    for (const [source, row] of this.#before) {
      if (row) this.#marks.set(source, { mark: row.mark, seen: new Set(row.seen) });
      else this.#marks.delete(source);
    }
    this.#before.clear();
  }

  #change(source: SliceName): Mark {
    if (!this.#before.has(source)) this.#before.set(source, this.#row(source));
    const known = this.#marks.get(source) ?? { mark: 1, seen: new Set<number>() };
    this.#marks.set(source, known);
    return known;
  }

  #row(source: SliceName): MarkRow | undefined {
    const known = this.#marks.get(source);
    return known && { source, mark: known.mark, seen: [...known.seen].sort((a, b) => a - b) };
  }
}
