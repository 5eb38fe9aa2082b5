import { setTimeout as after } from 'node:timers/promises';
import { DELIVERY_LIMITS, Marks, Outbox, serviceOf, type Bus, type Confirmation, type Envelope, type MessageBody, type Service, type SliceName } from '@perdure/delivery';

interface Deliveries {
  readonly envelopes: readonly Envelope[];
  readonly confirmations: readonly Confirmation[];
}

export interface Letters {
  readonly sources: number;
  readonly destinations: number;
  /** Messages of each source to each destination. */
  readonly each: number;
  /** So many of each are committed at a time; absent: all at once. */
  readonly perTick?: number;
  /** Every so manyeth delivery is refused by its receiver. */
  readonly failEach?: number;
  readonly payloadBytes?: number;
  /** Nothing goes the way of first sendings. */
  readonly resendsOnly?: boolean;
  /** Nothing is sent again: what is lost on the way shows. */
  readonly once?: boolean;
}

/** Much shorter than in earnest, so that losses are made up for within a test. */
const LIMITS = { ...DELIVERY_LIMITS, resendAfterMs: 300, resendAfterMsMax: 2_000 };
const ONCE = { ...DELIVERY_LIMITS, resendAfterMs: 1e9, resendAfterMsMax: 1e9 };
const TICK_MS = 25;
const DEADLINE_MS = 50_000;

/**
 * The two ends of a bus, as owners of slices are (I4): outboxes that send until they are confirmed, marks that drop what came before.
 * It counts what each slice has applied, and that must be each message once.
 */
export class Correspondence {
  readonly seen = { history: { envelopes: [] as Envelope[], confirmations: [] as Confirmation[] }, scheduler: { envelopes: [] as Envelope[], confirmations: [] as Confirmation[] } };
  /** What was not delivered, because a test wanted so. */
  refused = 0;
  repeats = 0;
  #buses: { readonly history: Bus; readonly scheduler: Bus } | undefined;
  readonly #outboxes = new Map<SliceName, Outbox>();
  readonly #marks = new Map<SliceName, Marks>();
  readonly #applied = new Map<string, number>();
  #deliveries = 0;
  #failEach = 0;
  #runs = 0;
  #turns = 0;
  #isClosed = false;

  use(buses: { readonly history: Bus; readonly scheduler: Bus }): void {
    this.#buses = buses;
  }

  close(): void {
    this.#isClosed = true;
  }

  /** Does it again and again until it has shown. @throws Error */
  async until(act: () => void, isSeen: (seen: Correspondence['seen']) => boolean): Promise<void> {
    for (let waitedMs = 0; waitedMs < DEADLINE_MS; waitedMs += TICK_MS) {
      if (waitedMs % 500 === 0) act();
      if (isSeen(this.seen)) return;
      await after(TICK_MS);
    }
    throw new Error('It was not seen in time.');
  }

  /** So many more messages were applied. @throws Error when they do not come in time */
  async progress(count: number): Promise<void> {
    const from = this.#applied.size;
    await this.until(() => undefined, () => this.#applied.size >= from + count);
  }

  /** So many times the outboxes were asked what is due. */
  async turns(count: number): Promise<void> {
    const from = this.#turns;
    while (this.#turns < from + count && !this.#isClosed) await after(TICK_MS);
  }

  /** What the bus has for a node of the service. */
  async deliver(service: Service, { envelopes, confirmations }: Deliveries): Promise<void> {
    if (this.#failEach > 0 && ++this.#deliveries % this.#failEach === 0) {
      this.refused += 1;
      throw new Error('refused, as the test wants');
    }
    if (service === 'history' || service === 'scheduler') {
      this.seen[service].envelopes.push(...envelopes);
      this.seen[service].confirmations.push(...confirmations);
    }
    for (const envelope of envelopes) this.#apply(envelope);
    for (const { source, destination, numbers } of confirmations) this.#outboxes.get(source)?.confirm(destination, numbers);
  }

  /** Sends them all and waits until each is confirmed. @throws Error when one was applied twice or never */
  async run({ sources, destinations, each, perTick = each, failEach = 0, payloadBytes = 10, resendsOnly = false, once = false }: Letters): Promise<void> {
    this.#failEach = failEach;
    // Slices of their own: what is still under way from before is not theirs.
    const base = 100 * ++this.#runs;
    const boxes = Array.from({ length: sources }, (_, index): Outbox => {
      const source: SliceName = `history/${base + index}`;
      const outbox = new Outbox({ source, rows: [], lastNumbers: {}, limits: once ? ONCE : LIMITS, random: () => 1 });
      this.#outboxes.set(source, outbox);
      return outbox;
    });
    let left = each;
    const commit = (): boolean => {
      const count = Math.min(perTick, left);
      left -= count;
      for (const outbox of boxes) {
        for (let to = 0; to < destinations; to++) for (let index = 0; index < count; index++) outbox.put(`scheduler/${base + to}`, message(payloadBytes));
        outbox.committed();
        if (resendsOnly) outbox.due(-LIMITS.resendAfterMsMax);
      }
      return left > 0;
    };
    await this.#sendUntilConfirmed(boxes, commit);
    this.#failEach = 0;
    const counts = [...this.#applied].filter(([key]) => key.startsWith(`${base} `)).map(([, count]) => count);
    if (counts.length !== sources * destinations * each) throw new Error(`${counts.length} of ${sources * destinations * each} were applied.`);
    if (failEach > 0 && this.refused === 0) throw new Error('Nothing was refused, so nothing was tried.');
  }

  /** `commit`: puts the next messages into the outboxes, and says whether there are more. */
  async #sendUntilConfirmed(boxes: readonly Outbox[], commit: () => boolean): Promise<void> {
    const startMs = performance.now();
    while (commit() || boxes.some(({ size }) => size > 0)) {
      if (this.#isClosed) return;
      const passedMs = performance.now() - startMs;
      this.#turns += 1;
      if (passedMs > DEADLINE_MS) throw new Error(`${boxes.reduce((sum, { size }) => sum + size, 0)} messages are not confirmed after ${Math.round(passedMs)} ms.`);
      for (const outbox of boxes) for (const envelope of outbox.due(passedMs)) this.#buses!.history.send(envelope);
      await after(TICK_MS);
    }
  }

  #apply({ source, destination, mark, messages }: Envelope): void {
    const marks = this.#marks.get(destination) ?? new Marks([]);
    this.#marks.set(destination, marks);
    for (const { number } of messages) {
      const key = `${destination.split('/')[1]!.slice(0, -2)}00 ${source} ${destination} ${number}`;
      if (marks.isRepeat({ source, number })) this.repeats += 1;
      else this.#applied.set(key, (this.#applied.get(key) ?? 0) + 1);
      marks.add({ source, number, mark });
    }
    marks.committed();
    this.#buses![serviceOf(destination) as 'scheduler']?.confirm({ source, destination, numbers: messages.map(({ number }) => number) });
  }
}

const message = (payloadBytes: number): MessageBody => ({ to: 'scheduler', kind: 'armTimer', run: { tenant: 't', workflowId: 'w'.repeat(payloadBytes), runId: 'r' }, seq: 1, dueMs: 5 });
