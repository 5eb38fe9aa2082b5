import assert from 'node:assert/strict';
import { LIMITS, runKeyOf, type CorrelationEffect, type ExternalEvent, type Input, type RunKey } from '@perdure/contract';
import { BufferRoom } from './buffer-room.js';
import { ChangeStage } from './change-stage.js';
import { EventTypeIndex, type Buffered } from './event-type-index.js';
import { holds, problemOfFilter } from './jmespath.js';
import type { CorrelationStore } from './ports.js';
import type { CorrelationChange, EventHead, StoredEvent, WaitRow } from './rows.js';
import { Tombstones } from './tombstones.js';

export interface CorrelatorOptions {
  readonly store: CorrelationStore;
  readonly eventsBufferedMax?: number;
  readonly tombstonesMax?: number;
}

type EffectOf<K extends CorrelationEffect['kind']> = Extract<CorrelationEffect, { kind: K }>;

const waitKeyOf = ({ run, seq }: { readonly run: RunKey; readonly seq: number }): string => `${runKeyOf(run)}\u0000${seq}`;
const typeKeyOf = (tenant: string, type: string): string => `${tenant}\u0000${type}`;

assert(LIMITS.eventBufferMs >= LIMITS.eventDedupeMs, 'the identity of a buffered event lives in its row');

/**
 * One slice of correlation: a single writer that brings waits and events together, in whichever order they come.
 *
 * 1. An event is `buffered`, `offered` or `spent`. While it is offered exactly one wait holds it, and a wait holds at most one event.
 * 2. Only the answer of the run that holds it (`settleOffer`) spends an event or sets it free (design §12): a wait that was closed
 *    meanwhile still answers, since its run's log decides. Any other answer is a repetition (an offer may reach history twice), and
 *    is dropped.
 * 3. The oldest wait is offered the oldest event that fits it.
 * 4. A close that comes before its open leaves a tombstone (I4).
 * 5. What memory says follows from the committed rows: `reset` rebuilds it, after a batch that failed.
 *
 * Calls must not overlap: each is awaited before the next.
 */
export class Correlator {
  readonly #store: CorrelationStore;
  readonly #room: BufferRoom;
  readonly #tombstones: Tombstones;
  readonly #stage = new ChangeStage();
  readonly #types = new Map<string, EventTypeIndex>();
  readonly #waits = new Map<string, WaitRow>();
  /** Those that are not spent, in order of arrival. */
  readonly #events = new Map<number, Buffered>();
  /** Events that arrived in this batch: the archive has them only after the commit. */
  readonly #fresh = new Map<number, ExternalEvent>();
  readonly #freshIds = new Set<string>();
  #inputs: Input[] = [];
  #lastOrder = 0;
  #lastArrival = 0;

  private constructor(options: CorrelatorOptions) {
    this.#store = options.store;
    this.#room = new BufferRoom(options.eventsBufferedMax ?? LIMITS.eventsBufferedMax);
    this.#tombstones = new Tombstones(options.tombstonesMax);
  }

  static async open(options: CorrelatorOptions): Promise<Correlator> {
    const correlator = new Correlator(options);
    await correlator.reset();
    return correlator;
  }

  /** Waits that are open or have an offer out. */
  get waiting(): number {
    return this.#waits.size - this.#tombstones.size;
  }
  /** Events that are buffered or offered. */
  get buffered(): number {
    return this.#events.size;
  }

  /** @throws PerdureError `overloaded` when the buffer has no room for the tenant; then none of the events was taken */
  async publish(events: readonly ExternalEvent[], nowMs: number): Promise<('accepted' | 'duplicate')[]> {
    this.#room.assert(events);
    const receipts: ('accepted' | 'duplicate')[] = [];
    for (const event of events) receipts.push(await this.#publishOne(event, nowMs));
    return receipts;
  }

  async receive(effects: readonly CorrelationEffect[]): Promise<void> {
    for (const effect of effects) {
      if (effect.kind === 'openWait') await this.#openWait(effect);
      else if (effect.kind === 'closeWait') this.#closeWait(effect);
      else await this.#settleOffer(effect);
    }
  }

  /** Lets go of what is older than its window. */
  sweep(nowMs: number): void {
    const bufferedBeforeMs = nowMs - LIMITS.eventBufferMs;
    for (const event of this.#events.values()) {
      // Rising arrival is rising age, so the first young one ends the search.
      if (event.arrivedAt >= bufferedBeforeMs) break;
      if (!event.offered) this.#forget(event);
    }
    for (const key of this.#tombstones.expire(nowMs)) this.#dropWait(this.#waits.get(key)!);
    this.#stage.sweepEvents(bufferedBeforeMs, nowMs - LIMITS.eventDedupeMs);
  }

  takeChanges(): CorrelationChange[] {
    return this.#stage.take();
  }

  takeInputs(): Input[] {
    const inputs = this.#inputs;
    this.#inputs = [];
    return inputs;
  }

  committed(): void {
    this.#fresh.clear();
    this.#freshIds.clear();
  }

  async reset(): Promise<void> {
    for (const each of [this.#types, this.#waits, this.#events, this.#fresh, this.#freshIds, this.#stage, this.#tombstones, this.#room]) each.clear();
    this.#inputs = [];
    this.#lastOrder = 0;
    this.#lastArrival = await this.#store.events.lastArrival();
    const held = new Set<number>();
    for (const row of await this.#store.waits.load()) {
      this.#lastOrder = Math.max(this.#lastOrder, row.order);
      this.#waits.set(row.key, row);
      if (row.offered !== undefined) held.add(row.offered);
      else if (row.closed) this.#tombstones.add(row.key);
      else this.#indexOf(row.run.tenant, row.wait.type).addWait(row);
    }
    for (const head of await this.#store.events.load()) this.#keep(head, held.has(head.arrival));
  }

  async #publishOne(event: ExternalEvent, nowMs: number): Promise<'accepted' | 'duplicate'> {
    const identity = JSON.stringify([event.tenant, event.source, event.id]);
    if (this.#freshIds.has(identity) || (await this.#store.events.isKnown(event))) return 'duplicate';
    this.#freshIds.add(identity);
    const row: StoredEvent = { arrival: ++this.#lastArrival, arrivedAt: nowMs, tenant: event.tenant, type: event.type, keys: event.keys, state: 'buffered', event };
    this.#fresh.set(row.arrival, event);
    this.#stage.addEvent(row);
    const buffered: Buffered = { ...headOf(row), offered: false };
    this.#events.set(row.arrival, buffered);
    this.#room.take(event.tenant);
    this.#place(buffered, event);
    return 'accepted';
  }

  async #openWait({ run, seq, chain, wait, at }: EffectOf<'openWait'>): Promise<void> {
    const key = waitKeyOf({ run, seq });
    const known = this.#waits.get(key);
    if (known) {
      if (this.#tombstones.delete(key)) this.#dropWait(known);
      return;
    }
    const problem = problemOf(wait);
    if (problem !== undefined) return this.#refuseWait({ run, seq, wait, at }, problem);
    const row: WaitRow = { key, run, seq, chain, wait, order: ++this.#lastOrder, openedAt: at };
    this.#waits.set(key, row);
    this.#stage.putWait(row);
    const index = this.#indexOf(run.tenant, wait.type);
    index.addWait(row);
    for (const event of index.eventsFor(row)) {
      if (!isSince(row, event)) continue;
      // Only the event that is offered, or a filter, needs the event itself.
      const body = await this.#find(event.arrival);
      if (body && passes(row, body)) return this.#offer(event, row, body);
    }
  }

  /** Its code is told at once: nothing would ever match, and waiting for that would hide the mistake. */
  #refuseWait({ run, seq, wait, at }: Pick<EffectOf<'openWait'>, 'run' | 'seq' | 'wait' | 'at'>, problem: string): void {
    const message = `The filter of receive('${wait.type}') is no JMESPath expression: ${problem}. It reads: ${wait.filter}`;
    this.#inputs.push({ kind: 'waitRefused', id: `${run.runId}/${seq}/refused`, ...run, at, seq, error: { type: 'InvalidFilter', message, code: 'invalid-filter', retryable: false } });
  }

  #closeWait({ run, seq, wait }: EffectOf<'closeWait'>): void {
    const key = waitKeyOf({ run, seq });
    const row = this.#waits.get(key);
    // One that was refused, or is going to be.
    if (!row && problemOf(wait) !== undefined) return;
    if (!row) return this.#leaveTombstone({ key, run, seq, chain: '', wait, order: ++this.#lastOrder, openedAt: 0, closed: true });
    if (row.closed) return;
    if (row.offered === undefined) return this.#dropWait(row);
    this.#replaceWait(row, { ...row, closed: true });
  }

  async #settleOffer({ run, seq, offerId, taken }: EffectOf<'settleOffer'>): Promise<void> {
    const row = this.#waits.get(waitKeyOf({ run, seq }));
    if (row?.offered === undefined || String(row.offered) !== offerId) return;
    const event = this.#events.get(row.offered);
    assert(event?.offered, 'the event that a wait holds is offered');
    this.#dropWait(row);
    if (taken) {
      this.#forget(event);
      return this.#stage.markEvent(event.arrival, 'spent');
    }
    event.offered = false;
    this.#stage.markEvent(event.arrival, 'buffered');
    const body = await this.#find(event.arrival);
    assert(body, 'the archive has the event that was offered');
    this.#place(event, body);
  }

  /** Offers the event to the first wait that it fits, or keeps it for one to come. */
  #place(event: Buffered, body: ExternalEvent): void {
    const index = this.#indexOf(event.tenant, event.type);
    for (const row of index.waitsFor(event)) {
      if (isSince(row, event) && passes(row, body)) return this.#offer(event, row, body);
    }
    index.addEvent(event);
  }

  #offer(event: Buffered, row: WaitRow, { trace, ...body }: ExternalEvent): void {
    const { run, seq } = row;
    const index = this.#indexOf(event.tenant, event.type);
    index.removeWait(row);
    index.removeEvent(event);
    this.#dropIfEmpty(event.tenant, event.type);
    event.offered = true;
    this.#stage.markEvent(event.arrival, 'offered');
    this.#replaceWait(row, { ...row, offered: event.arrival });
    const offerId = String(event.arrival);
    this.#inputs.push({ kind: 'eventOffered', id: `${run.runId}/${seq}/offer/${offerId}`, ...run, at: event.arrivedAt, ...(trace === undefined ? {} : { trace }), seq, offerId, event: body });
  }

  async #find(arrival: number): Promise<ExternalEvent | undefined> {
    return this.#fresh.get(arrival) ?? (await this.#store.events.find(arrival));
  }

  #keep(head: EventHead, offered: boolean): void {
    const event: Buffered = { ...headOf(head), offered };
    this.#events.set(event.arrival, event);
    this.#room.take(event.tenant);
    if (!offered) this.#indexOf(event.tenant, event.type).addEvent(event);
  }

  #forget(event: Buffered): void {
    this.#events.delete(event.arrival);
    this.#room.free(event.tenant);
    this.#types.get(typeKeyOf(event.tenant, event.type))?.removeEvent(event);
    this.#dropIfEmpty(event.tenant, event.type);
  }

  #replaceWait(before: WaitRow, after: WaitRow): void {
    this.#waits.set(after.key, after);
    this.#stage.putWait(after, before);
  }

  #dropWait(row: WaitRow): void {
    this.#waits.delete(row.key);
    this.#stage.deleteWait(row.key);
    this.#types.get(typeKeyOf(row.run.tenant, row.wait.type))?.removeWait(row);
    this.#dropIfEmpty(row.run.tenant, row.wait.type);
  }

  #leaveTombstone(row: WaitRow): void {
    this.#waits.set(row.key, row);
    this.#stage.putWait(row);
    const oldest = this.#tombstones.add(row.key);
    if (oldest !== undefined) this.#dropWait(this.#waits.get(oldest)!);
  }

  #indexOf(tenant: string, type: string): EventTypeIndex {
    const key = typeKeyOf(tenant, type);
    let index = this.#types.get(key);
    if (!index) this.#types.set(key, (index = new EventTypeIndex()));
    return index;
  }

  /** Types are named from outside, so an index lives only as long as it holds something (I9). */
  #dropIfEmpty(tenant: string, type: string): void {
    const key = typeKeyOf(tenant, type);
    if (this.#types.get(key)?.isEmpty) this.#types.delete(key);
  }
}

const headOf = ({ arrival, arrivedAt, tenant, type, keys }: EventHead): EventHead & { readonly order: number } => ({ arrival, arrivedAt, tenant, type, keys, order: arrival });

const isSince = ({ wait }: WaitRow, event: EventHead): boolean => wait.sinceMs === undefined || event.arrivedAt >= wait.sinceMs;

const problemOf = ({ filter }: WaitRow['wait']): string | undefined => (filter === undefined ? undefined : problemOfFilter(filter));

const passes = ({ wait }: WaitRow, body: ExternalEvent): boolean => wait.filter === undefined || holds(wait.filter, body.data);
