import type { CorrelationChange, EventState, StoredEvent, WaitRow } from './rows.js';

/** What a batch changes, folded: an event that comes, is offered and is taken within one batch is written once, and its wait not at all. */
export class ChangeStage {
  readonly #waits = new Map<string, { readonly wasStored: boolean; readonly row: WaitRow | undefined }>();
  readonly #events = new Map<number, { readonly fresh: StoredEvent | undefined; readonly state: EventState }>();
  #sweep: Extract<CorrelationChange, { kind: 'sweepEvents' }> | undefined;

  /** `before`: the row that this one takes the place of, if any. */
  putWait(row: WaitRow, before?: WaitRow): void {
    this.#waits.set(row.key, { wasStored: this.#waits.get(row.key)?.wasStored ?? before !== undefined, row });
  }

  deleteWait(key: string): void {
    this.#waits.set(key, { wasStored: this.#waits.get(key)?.wasStored ?? true, row: undefined });
  }

  addEvent(fresh: StoredEvent): void {
    this.#events.set(fresh.arrival, { fresh, state: fresh.state });
  }

  markEvent(arrival: number, state: EventState): void {
    this.#events.set(arrival, { fresh: this.#events.get(arrival)?.fresh, state });
  }

  sweepEvents(bufferedBeforeMs: number, spentBeforeMs: number): void {
    this.#sweep = { kind: 'sweepEvents', bufferedBeforeMs, spentBeforeMs };
  }

  clear(): void {
    this.#waits.clear();
    this.#events.clear();
    this.#sweep = undefined;
  }

  take(): CorrelationChange[] {
    const changes: CorrelationChange[] = [];
    for (const [key, { wasStored, row }] of this.#waits) {
      if (wasStored) changes.push({ kind: 'deleteWait', key });
      if (row) changes.push({ kind: 'putWait', row });
    }
    for (const [arrival, { fresh, state }] of this.#events) {
      changes.push(fresh ? { kind: 'putEvent', row: state === 'spent' ? bare(fresh) : { ...fresh, state } } : { kind: 'markEvent', arrival, state });
    }
    // Last, so that it sees an old event that was offered in this batch as offered, and leaves it.
    if (this.#sweep) changes.push(this.#sweep);
    this.clear();
    return changes;
  }
}

/** What is remembered of a spent event, against repeats. */
const bare = ({ event: { tenant, source, id, type, time }, ...head }: StoredEvent): StoredEvent => ({ ...head, keys: {}, state: 'spent', event: { tenant, source, id, type, time, keys: {} } });
