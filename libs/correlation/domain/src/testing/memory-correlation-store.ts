import assert from 'node:assert/strict';
import type { ExternalEvent } from '@perdure/contract';
import { CorrelationStore, EventArchive, WaitStore } from '../ports.js';
import type { CorrelationChange, EventHead, EventIdentity, StoredEvent, WaitRow } from '../rows.js';

class MemoryWaits extends WaitStore {
  readonly rows = new Map<string, WaitRow>();

  override load(): Promise<Iterable<WaitRow>> {
    return Promise.resolve([...this.rows.values()].sort((a, b) => a.order - b.order));
  }
}

class MemoryEvents extends EventArchive {
  readonly rows = new Map<number, StoredEvent>();

  override load(): Promise<Iterable<EventHead & { readonly offered: boolean }>> {
    const open = [...this.rows.values()].filter(({ state }) => state !== 'spent').sort((a, b) => a.arrival - b.arrival);
    return Promise.resolve(open.map((row) => ({ ...row, offered: row.state === 'offered' })));
  }
  override lastArrival(): Promise<number> {
    return Promise.resolve(Math.max(0, ...this.rows.keys()));
  }
  override find(arrival: number): Promise<ExternalEvent | undefined> {
    return Promise.resolve(this.rows.get(arrival)?.event);
  }
  override isKnown({ tenant, source, id }: EventIdentity): Promise<boolean> {
    return Promise.resolve([...this.rows.values()].some(({ event }) => event.tenant === tenant && event.source === source && event.id === id));
  }
}

/** Rows in maps: what a store must do, in the fewest lines. */
export class MemoryCorrelationStore extends CorrelationStore {
  override readonly waits = new MemoryWaits();
  override readonly events = new MemoryEvents();

  override commit(changes: readonly CorrelationChange[]): Promise<void> {
    for (const change of changes) this.#apply(change);
    return Promise.resolve();
  }

  #putWait(row: WaitRow): void {
    assert(!this.waits.rows.has(row.key), 'a wait is put where none is');
    this.waits.rows.set(row.key, row);
  }

  #apply(change: CorrelationChange): void {
    const { rows } = this.events;
    if (change.kind === 'putWait') this.#putWait(change.row);
    else if (change.kind === 'deleteWait') this.waits.rows.delete(change.key);
    else if (change.kind === 'putEvent') rows.set(change.row.arrival, change.row);
    else if (change.kind === 'markEvent') rows.set(change.arrival, { ...rows.get(change.arrival)!, state: change.state });
    else for (const row of rows.values()) if ((row.state === 'buffered' && row.arrivedAt < change.bufferedBeforeMs) || (row.state === 'spent' && row.arrivedAt < change.spentBeforeMs)) rows.delete(row.arrival);
  }
}
