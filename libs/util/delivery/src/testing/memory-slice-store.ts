import { ALL_GUARDS, type Guards } from '@perdure/guards';
import type { LogPosition } from '../log.js';
import type { MarkRow } from '../marks.js';
import type { SliceName } from '../message.js';
import type { OutboxRow } from '../outbox.js';
import { checkFence, SliceStore, type SliceCommit, type SliceHead } from '../slice-store.js';
import { StoreFault } from '../store-fault.js';
import { jsonCopy } from './memory-log.js';
import type { TombstoneRow } from '../tombstones.js';

const keyOf = (row: { readonly destination?: SliceName; readonly source?: SliceName; readonly number: number }): string => `${row.destination ?? row.source}#${row.number}`;

/** A slice's rows in memory: what a store must do, in the fewest lines. `write` puts the service's own rows, or throws and puts none. */
export class MemorySliceStore<Rows> extends SliceStore<Rows> {
  readonly #write: (rows: Rows) => void;
  readonly #guards: Guards;
  #epoch = 0;
  cursor = 0;
  isClean = false;
  log: LogPosition | undefined;
  readonly outbox = new Map<string, OutboxRow>();
  readonly lastNumbers: Record<string, number> = {};
  readonly marks = new Map<SliceName, MarkRow>();
  readonly tombstones = new Map<string, TombstoneRow>();
  /** By work: the epochs of the owners that have begun to try it. */
  readonly tries = new Map<string, Set<number>>();

  constructor(write: (rows: Rows) => void, guards: Guards = ALL_GUARDS) {
    super();
    this.#write = write;
    this.#guards = guards;
  }

  get epochNow(): number {
    return this.#epoch;
  }

  override async epoch(): Promise<number> {
    return this.#epoch;
  }

  override async head(): Promise<SliceHead> {
    const { cursor, isClean, log } = this;
    return jsonCopy({ epoch: this.#epoch, cursor, isClean, ...(log ? { log } : {}), tried: [...this.tries].flatMap(([work, epochs]) => (epochs.size > 0 ? [work] : [])), outbox: [...this.outbox.values()], lastNumbers: this.lastNumbers, marks: [...this.marks.values()], tombstones: [...this.tombstones.values()] });
  }

  override async takeOver(from: number): Promise<void> {
    this.#assertEpoch(from);
    this.#epoch = from + 1;
    this.isClean = false;
  }

  override async commit(commit: SliceCommit<Rows>): Promise<void> {
    checkFence({ epoch: this.#epoch, cursor: this.cursor }, commit, this.#guards);
    this.apply(commit);
  }

  apply({ cursor, log, rows, outbox, intake, triesDropped }: SliceCommit<Rows>): void {
    if (rows !== undefined) this.#write(rows);
    this.cursor = cursor.to;
    this.log = log;
    for (const row of outbox.put) {
      this.outbox.set(keyOf(row), jsonCopy(row));
      this.lastNumbers[row.destination] = Math.max(this.lastNumbers[row.destination] ?? 0, row.number);
    }
    for (const row of outbox.confirmed) this.outbox.delete(keyOf(row));
    for (const row of intake.marks) this.marks.set(row.source, row);
    for (const row of intake.tombstones.put) this.tombstones.set(keyOf(row), jsonCopy(row));
    for (const row of intake.tombstones.dropped) this.tombstones.delete(keyOf(row));
    for (const work of triesDropped) this.tries.delete(work);
  }

  override async countTry(epoch: number, work: string): Promise<number> {
    this.#assertEpoch(epoch);
    const tries = (this.tries.get(work) ?? new Set()).add(epoch);
    this.tries.set(work, tries);
    return tries.size;
  }

  override async survived(epoch: number, work: string): Promise<void> {
    this.tries.get(work)?.delete(epoch);
  }

  override async release(epoch: number): Promise<void> {
    if (epoch === this.#epoch) this.isClean = true;
  }

  #assertEpoch(epoch: number): void {
    if (epoch !== this.#epoch) throw new StoreFault('staleOwner', `the slice is at epoch ${this.#epoch}, not ${epoch}`);
  }
}
