import type { CancelTimer, Clock } from '@perdure/clock';
import type { CorrelationEffect, Effect } from '@perdure/contract';
import { DELIVERY_LIMITS, Marks, Outbox, type Bus, type Confirmation, type Envelope, type Message, type SliceName } from '@perdure/delivery';
import type { ShardFile } from '@perdure/sqlite';
import type { ShardMap } from '../shard-map.js';
import { PeerRows } from './peer-rows.js';

/** What one shard may ask of another. */
export type PeerEffect = Extract<Effect, { to: 'history' }> | CorrelationEffect;

export interface PeersOptions {
  readonly file: ShardFile;
  readonly map: ShardMap;
  readonly bus: Bus;
  readonly clock: Clock;
  readonly random: () => number;
  /** There are confirmed rows to delete: run a batch. */
  readonly wake: () => void;
}

/** Rows that were confirmed wait so long for a batch that would have run anyway. */
const DELETE_LATE_MS = 5_000;

const nameOf = (shard: number): SliceName => `history/${shard}`;

/**
 * A shard's mail with the other shards of its data folder (I4).
 *
 * 1. What is to be sent is a row of the batch that caused it, and leaves after the commit, until its receiver has committed it too.
 * 2. What is received is taken once, in the order in which its sender numbered it: one whose forerunner was not taken comes again after it.
 */
export class Peers {
  readonly #options: PeersOptions;
  readonly #self: SliceName;
  readonly #rows: PeerRows;
  readonly #outbox: Outbox;
  readonly #marks: Marks;
  #taken: Confirmation[] = [];
  #cancelResend: CancelTimer = () => undefined;
  #cancelDelete: CancelTimer | undefined;
  #closed = false;

  constructor(options: PeersOptions) {
    this.#options = options;
    const { file, random } = options;
    this.#self = nameOf(file.shard);
    this.#rows = new PeerRows(file);
    this.#outbox = new Outbox({ source: this.#self, ...this.#rows.outbox(), limits: DELIVERY_LIMITS, random });
    this.#marks = new Marks(this.#rows.marks());
  }

  /** Too much has not been confirmed: take nothing new that may add to it. */
  get isFull(): boolean {
    return this.#outbox.size >= DELIVERY_LIMITS.outboxRowsMax;
  }

  /** Puts into the outbox what is for another shard; false for what is for this one. */
  post(effect: PeerEffect): boolean {
    const { map, file } = this.#options;
    const shard = map.shardOfEffect(effect);
    if (shard === file.shard) return false;
    this.#outbox.put(nameOf(shard), effect);
    return true;
  }

  /** What of an envelope is to be done in this batch, in order. */
  take({ source, destination, mark, messages }: Envelope): PeerEffect[] {
    const effects: PeerEffect[] = [];
    const numbers: number[] = [];
    for (const { number, body } of messages) {
      const origin = { source, number, mark };
      const isRepeat = this.#marks.isRepeat(origin);
      if (!isRepeat && !this.#marks.isComplete(origin)) break;
      this.#marks.add(origin);
      numbers.push(number);
      if (!isRepeat) effects.push(body as PeerEffect);
    }
    if (numbers.length > 0) this.#taken.push({ source, destination, numbers });
    return effects;
  }

  /** For the batch in hand; undefined for nothing. */
  takeChanges(): (() => void) | undefined {
    const outbox = this.#outbox.takeChanges();
    const marks = this.#marks.takeChanges();
    if (outbox.put.length === 0 && outbox.confirmed.length === 0 && marks.length === 0) return undefined;
    return () => this.#rows.write(outbox, marks);
  }

  committed(): void {
    this.#outbox.committed();
    this.#marks.committed();
    for (const confirmation of this.#taken) this.#options.bus.confirm(confirmation);
    this.#taken = [];
    this.send();
  }

  takeBack(): void {
    this.#outbox.takeBack();
    this.#marks.takeBack();
    this.#taken = [];
  }

  /** By the receiver, after its commit. */
  confirmed({ destination, numbers }: Confirmation): void {
    this.#outbox.confirm(destination, numbers);
    if (!this.#outbox.hasConfirmed || this.#closed) return;
    const { clock, wake } = this.#options;
    this.#cancelDelete ??= clock.at(clock.now() + DELETE_LATE_MS, () => {
      this.#cancelDelete = undefined;
      if (this.#outbox.hasConfirmed) wake();
    });
  }

  /** What is due, now and later. */
  send(): void {
    if (this.#closed) return;
    const { bus, clock } = this.#options;
    for (const envelope of this.#outbox.due(clock.now())) bus.send(envelope);
    this.#cancelResend();
    const nextMs = this.#outbox.nextDueMs;
    this.#cancelResend = nextMs === Infinity ? () => undefined : clock.at(nextMs, () => this.send());
  }

  close(): void {
    this.#closed = true;
    this.#cancelResend();
    this.#cancelDelete?.();
  }
}

/** One envelope for each message, so that the one at fault can be told. */
export const singly = ({ messages, ...rest }: Envelope): Envelope[] => messages.map((message: Message) => ({ ...rest, messages: [message] }));
