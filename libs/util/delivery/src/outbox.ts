import { ALL_GUARDS, type Guards } from '@perdure/guards';
import { backoffMs } from './backoff.js';
import type { DeliveryLimits } from './delivery-limits.js';
import type { Envelope, MessageBody, SliceName } from './message.js';

export interface OutboxRow {
  readonly destination: SliceName;
  readonly number: number;
  readonly body: MessageBody;
}

export interface OutboxChanges {
  readonly put: readonly OutboxRow[];
  /** Rows that their receivers have confirmed, to be deleted. */
  readonly confirmed: readonly { readonly destination: SliceName; readonly number: number }[];
}

export interface OutboxOptions {
  readonly source: SliceName;
  readonly rows: readonly OutboxRow[];
  /** The highest number given out per destination, also when its row is gone. */
  readonly lastNumbers: Readonly<Record<string, number>>;
  readonly limits: DeliveryLimits;
  readonly random: () => number;
  readonly guards?: Guards;
  /** Destinations that are told in order: a log's order is the order of what it says. Default: none. */
  readonly isOrdered?: (destination: SliceName) => boolean;
}

interface Pending {
  readonly row: OutboxRow;
  tries: number;
  dueMs: number;
}

/**
 * Messages that a slice has to send (I4). Pure: it is told the time, and gives what is to be sent.
 *
 * 1. Numbers rise per destination and are given to committed rows alone: those of a batch that is taken back are given again.
 * 2. A row leaves only after its commit, again and again until its receiver confirms it.
 * 3. The mark that goes along is the smallest number that is not confirmed.
 * 4. To an ordered destination one envelope is on its way at a time, from the smallest number on, and the next leaves when it is confirmed; so
 *    nothing overtakes, whoever of two owners sends it.
 */
export class Outbox {
  readonly #options: OutboxOptions;
  readonly #guards: Guards;
  /** Committed and not confirmed, by destination, in rising order. */
  readonly #pending = new Map<SliceName, Map<number, Pending>>();
  readonly #last = new Map<string, number>();
  #staged: OutboxRow[] = [];
  #confirmed: { readonly destination: SliceName; readonly number: number }[] = [];
  #confirmedInBatch = 0;

  constructor(options: OutboxOptions) {
    this.#options = options;
    this.#guards = options.guards ?? ALL_GUARDS;
    for (const [destination, number] of Object.entries(options.lastNumbers)) this.#last.set(destination, number);
    for (const row of [...options.rows].sort((a, b) => a.number - b.number)) this.#add(row);
  }

  get size(): number {
    let size = 0;
    for (const rows of this.#pending.values()) size += rows.size;
    return size;
  }

  /** Confirmed rows wait for a batch to delete them. */
  get hasConfirmed(): boolean {
    return this.#confirmed.length > 0;
  }

  put(destination: SliceName, body: MessageBody): void {
    const number = (this.#last.get(destination) ?? 0) + 1;
    this.#last.set(destination, number);
    this.#staged.push({ destination, number, body });
  }

  /** Of the batch in hand. */
  takeChanges(): OutboxChanges {
    this.#confirmedInBatch = this.#confirmed.length;
    return { put: [...this.#staged], confirmed: [...this.#confirmed] };
  }

  committed(): void {
    for (const row of this.#staged) this.#add(row);
    this.#staged = [];
    this.#confirmed = this.#confirmed.slice(this.#confirmedInBatch);
    this.#confirmedInBatch = 0;
  }

  takeBack(): void {
    for (const { destination, number } of [...this.#staged].reverse()) this.#last.set(destination, number - 1);
    this.#staged = [];
    this.#confirmedInBatch = 0;
  }

  /** By the receiver, after its own commit. */
  confirm(destination: SliceName, numbers: readonly number[]): void {
    const rows = this.#pending.get(destination);
    for (const number of numbers) if (rows?.delete(number)) this.#confirmed.push({ destination, number });
    if (rows?.size === 0) this.#pending.delete(destination);
  }

  /**
   * What is to be sent now: rows whose confirmation is overdue, and those that never were sent. Every second time a row goes by the other way,
   * for one way alone may lead to the same dead end each time.
   */
  due(nowMs: number): Envelope[] {
    const { source, limits } = this.#options;
    const envelopes: Envelope[] = [];
    for (const [destination, rows] of this.#pending) {
      // In rising order, and a destination without rows is not kept.
      const [mark = 0] = rows.keys();
      if (this.#isOrdered(destination)) {
        const messages = this.#leaving(rows, nowMs);
        if (messages.length > 0) envelopes.push({ source, destination, mark, messages });
        continue;
      }
      const detour: OutboxRow[] = [];
      const usual: OutboxRow[] = [];
      for (const pending of rows.values()) {
        if (pending.dueMs > nowMs) continue;
        (pending.tries % 2 === 1 ? detour : usual).push(pending.row);
        pending.tries += 1;
        pending.dueMs = this.#againMs(pending, nowMs);
      }
      for (const messages of cut(detour, limits.envelopeMessagesMax)) envelopes.push({ source, destination, mark, messages, isDetour: true });
      for (const messages of cut(usual, limits.envelopeMessagesMax)) envelopes.push({ source, destination, mark, messages });
    }
    return envelopes;
  }

  /** Whether anything is not confirmed there. */
  has(destination: SliceName): boolean {
    return this.#pending.has(destination);
  }

  /** What was on its way to an ordered destination has come to nothing, or nobody knows. */
  failed({ destination, messages }: Pick<Envelope, 'destination' | 'messages'>, nowMs: number): void {
    for (const { number } of messages) {
      const pending = this.#pending.get(destination)?.get(number);
      if (pending) pending.dueMs = this.#againMs(pending, nowMs);
    }
  }

  /** When something is to be sent next; `Infinity`: nothing is. */
  get nextDueMs(): number {
    let next = Infinity;
    for (const [destination, rows] of this.#pending) {
      for (const { dueMs } of rows.values()) {
        next = Math.min(next, dueMs);
        if (this.#isOrdered(destination)) break;
      }
    }
    return next;
  }

  /** When a row that has left so often is to leave again. */
  #againMs({ tries }: Pending, nowMs: number): number {
    const { limits, random } = this.#options;
    return this.#guards.has('outboxResend') ? nowMs + backoffMs(tries - 1, { firstMs: limits.resendAfterMs, maxMs: limits.resendAfterMsMax, random }) : Infinity;
  }

  #isOrdered(destination: SliceName): boolean {
    return this.#guards.has('orderOfAppends') && (this.#options.isOrdered?.(destination) ?? false);
  }

  /** Invariant 4. */
  #leaving(rows: ReadonlyMap<number, Pending>, nowMs: number): OutboxRow[] {
    const leaving: OutboxRow[] = [];
    for (const pending of rows.values()) {
      if (leaving.length === 0 && pending.dueMs > nowMs) break;
      if (leaving.length === this.#options.limits.envelopeMessagesMax) break;
      leaving.push(pending.row);
      pending.tries += 1;
      pending.dueMs = Infinity;
    }
    return leaving;
  }

  #add(row: OutboxRow): void {
    const rows = this.#pending.get(row.destination) ?? new Map<number, Pending>();
    this.#pending.set(row.destination, rows);
    rows.set(row.number, { row, tries: 0, dueMs: -Infinity });
  }
}

function* cut(rows: readonly OutboxRow[], lengthMax: number): Generator<readonly OutboxRow[]> {
  for (let at = 0; at < rows.length; at += lengthMax) yield rows.slice(at, at + lengthMax);
}
