import { LIMITS, PerdureError, runKeyOf, type CorrelationEffect, type ExternalEvent, type Input, type RunKey } from '@perdure/contract';
import { EventTypeIndex, type Buffered, type Wait } from './event-type-index.js';
import { holds } from './jmespath.js';
import type { CorrelationStore } from './ports.js';
import type { CorrelationChange, EventHead } from './rows.js';

export interface CorrelatorOptions {
  readonly store: CorrelationStore;
  readonly eventsBufferedMax?: number;
}

const waitKeyOf = (run: RunKey, seq: number): string => `${runKeyOf(run)}\u0000${seq}`;
const typeKeyOf = (tenant: string, type: string): string => `${tenant}\u0000${type}`;

/**
 * One slice of correlation: a single writer that brings waits and events together, in whichever order they come.
 *
 * 1. An event is `buffered`, `offered` to exactly one wait, or `spent`; a wait has at most one offer out.
 * 2. Only the run's own answer (`settleOffer`) moves an event from `offered` to `spent` or back (design §12): a wait that was
 *    closed meanwhile still answers, since its run's log decides.
 * 3. The oldest wait is offered the oldest event that fits it.
 * 4. What memory says follows from the committed rows: `reset` rebuilds it, after a batch that failed.
 */
export class Correlator {
  readonly #store: CorrelationStore;
  readonly #bufferedMax: number;
  readonly #types = new Map<string, EventTypeIndex>();
  readonly #waits = new Map<string, Wait>();
  readonly #events = new Map<number, Buffered>();
  /** Events that arrived in this batch: the archive has them only after the commit. */
  readonly #fresh = new Map<number, ExternalEvent>();
  #freshIds = new Set<string>();
  #changes: CorrelationChange[] = [];
  #inputs: Input[] = [];
  #lastOrder = 0;
  #lastArrival = 0;

  private constructor(options: CorrelatorOptions) {
    this.#store = options.store;
    this.#bufferedMax = options.eventsBufferedMax ?? LIMITS.eventsBufferedMax;
  }

  static async open(options: CorrelatorOptions): Promise<Correlator> {
    const correlator = new Correlator(options);
    await correlator.reset();
    return correlator;
  }

  get waiting(): number {
    return this.#waits.size;
  }
  get buffered(): number {
    return this.#events.size;
  }

  /** @throws PerdureError `overloaded` when the buffer has no room; then none of the events was taken */
  async publish(events: readonly ExternalEvent[], nowMs: number): Promise<('accepted' | 'duplicate')[]> {
    if (this.#events.size + events.length > this.#bufferedMax) throw new PerdureError('overloaded', `${this.#events.size} events wait for runs that want them, at most ${this.#bufferedMax} may.`);
    const receipts: ('accepted' | 'duplicate')[] = [];
    for (const event of events) receipts.push(await this.#publishOne(event, nowMs));
    return receipts;
  }

  async receive(effects: readonly CorrelationEffect[]): Promise<void> {
    for (const effect of effects) {
      if (effect.kind === 'openWait') await this.#openWait(effect);
      else if (effect.kind === 'closeWait') this.#closeWait(waitKeyOf(effect.run, effect.seq));
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
    this.#changes.push({ kind: 'sweepEvents', bufferedBeforeMs, spentBeforeMs: nowMs - LIMITS.eventDedupeMs });
  }

  takeChanges(): CorrelationChange[] {
    const changes = this.#changes;
    this.#changes = [];
    return changes;
  }

  takeInputs(): Input[] {
    const inputs = this.#inputs;
    this.#inputs = [];
    return inputs;
  }

  committed(): void {
    this.#fresh.clear();
    this.#freshIds = new Set();
  }

  async reset(): Promise<void> {
    for (const each of [this.#types, this.#waits, this.#events, this.#fresh, this.#freshIds]) each.clear();
    this.#changes = [];
    this.#inputs = [];
    this.#lastOrder = 0;
    this.#lastArrival = await this.#store.events.lastArrival();
    for (const row of await this.#store.waits.load()) {
      const wait: Wait = { ...row };
      this.#lastOrder = Math.max(this.#lastOrder, wait.order);
      this.#waits.set(wait.key, wait);
      this.#typeOf(wait.run.tenant, wait.wait.type).addWait(wait);
    }
    for (const head of await this.#store.events.load()) this.#keep(head, head.offered);
  }

  async #publishOne(event: ExternalEvent, nowMs: number): Promise<'accepted' | 'duplicate'> {
    const identity = JSON.stringify([event.tenant, event.source, event.id]);
    if (this.#freshIds.has(identity) || (await this.#store.events.isKnown(event))) return 'duplicate';
    this.#freshIds.add(identity);
    const head: EventHead = { arrival: ++this.#lastArrival, arrivedAt: nowMs, tenant: event.tenant, type: event.type, keys: event.keys };
    this.#fresh.set(head.arrival, event);
    const buffered = this.#keep(head, false);
    const wait = this.#firstWait(buffered, event);
    this.#changes.push({ kind: 'putEvent', row: { ...head, event, state: wait ? 'offered' : 'buffered' } });
    if (wait) this.#offer(buffered, wait, event);
    return 'accepted';
  }

  async #openWait({ run, seq, chain, wait: spec, at }: Extract<CorrelationEffect, { kind: 'openWait' }>): Promise<void> {
    const key = waitKeyOf(run, seq);
    if (this.#waits.has(key)) return;
    const wait: Wait = { key, run, seq, chain, wait: spec, order: ++this.#lastOrder, openedAt: at };
    this.#waits.set(key, wait);
    this.#typeOf(run.tenant, spec.type).addWait(wait);
    this.#changes.push({ kind: 'putWait', row: { key, run, seq, chain, wait: spec, order: wait.order, openedAt: at } });
    for (const event of this.#typeOf(run.tenant, spec.type).eventsFor(wait)) {
      if (event.offered || !isSince(wait, event)) continue;
      // Only the event that is offered, or a filter, needs the event itself.
      const body = await this.#find(event.arrival);
      if (!body || (spec.filter !== undefined && !holds(spec.filter, body.data))) continue;
      this.#changes.push({ kind: 'markEvent', arrival: event.arrival, state: 'offered' });
      return this.#offer(event, wait, body);
    }
  }

  /** With an offer out the event stays with the run until it answers: the answer comes by its log, before or after this. */
  #closeWait(key: string): void {
    const wait = this.#waits.get(key);
    if (wait) this.#dropWait(wait);
  }

  async #settleOffer({ run, seq, offerId, taken }: Extract<CorrelationEffect, { kind: 'settleOffer' }>): Promise<void> {
    const event = this.#events.get(Number(offerId));
    const wait = this.#waits.get(waitKeyOf(run, seq));
    // Settled once already, or never offered.
    if (!event?.offered) return;
    if (wait && (taken || wait.offered === event.arrival)) this.#dropWait(wait);
    if (taken) {
      this.#forget(event);
      this.#changes.push({ kind: 'markEvent', arrival: event.arrival, state: 'spent' });
      return;
    }
    event.offered = false;
    this.#changes.push({ kind: 'markEvent', arrival: event.arrival, state: 'buffered' });
    const body = await this.#find(event.arrival);
    const next = body && this.#firstWait(event, body);
    if (!next) return;
    this.#changes.push({ kind: 'markEvent', arrival: event.arrival, state: 'offered' });
    this.#offer(event, next, body);
  }

  #offer(event: Buffered, wait: Wait, body: ExternalEvent): void {
    event.offered = true;
    wait.offered = event.arrival;
    const offerId = String(event.arrival);
    this.#inputs.push({ kind: 'eventOffered', id: `${wait.run.runId}/${wait.seq}/offer/${offerId}`, ...wait.run, at: event.arrivedAt, seq: wait.seq, offerId, event: body });
  }

  #firstWait(event: Buffered, body: ExternalEvent): Wait | undefined {
    const fits = (wait: Wait): boolean => wait.offered === undefined && isSince(wait, event) && (wait.wait.filter === undefined || holds(wait.wait.filter, body.data));
    return this.#typeOf(event.tenant, event.type).waitsFor(event).find(fits);
  }

  async #find(arrival: number): Promise<ExternalEvent | undefined> {
    return this.#fresh.get(arrival) ?? (await this.#store.events.find(arrival));
  }

  #keep(head: EventHead, offered: boolean): Buffered {
    const { arrival, arrivedAt, tenant, type, keys } = head;
    const event: Buffered = { arrival, arrivedAt, tenant, type, keys, order: arrival, offered };
    this.#events.set(arrival, event);
    this.#typeOf(tenant, type).addEvent(event);
    return event;
  }

  #forget(event: Buffered): void {
    this.#events.delete(event.arrival);
    this.#typeOf(event.tenant, event.type).removeEvent(event);
  }

  #dropWait(wait: Wait): void {
    this.#waits.delete(wait.key);
    this.#typeOf(wait.run.tenant, wait.wait.type).removeWait(wait);
    this.#changes.push({ kind: 'deleteWait', key: wait.key });
  }

  #typeOf(tenant: string, type: string): EventTypeIndex {
    const key = typeKeyOf(tenant, type);
    let index = this.#types.get(key);
    if (!index) this.#types.set(key, (index = new EventTypeIndex()));
    return index;
  }
}

const isSince = ({ wait }: Wait, event: EventHead): boolean => wait.sinceMs === undefined || event.arrivedAt >= wait.sinceMs;
