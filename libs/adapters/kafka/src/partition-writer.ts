import type { CancelTimer } from '@perdure/clock';
import { PerdureError } from '@perdure/contract';
import { Backoff, type BackoffOptions } from '@perdure/delivery';
import { toUnavailable } from './kafka-fault.js';
import type { KafkaLimits } from './kafka-limits.js';

export interface Produced {
  readonly id: string;
  readonly value: Buffer;
}

export interface PartitionWriterOptions extends BackoffOptions {
  readonly limits: KafkaLimits;
  readonly name: string;
  /** The records of one Produce, in order: resolves with the offset behind the last, once Kafka has acknowledged them. */
  readonly produce: (records: readonly Produced[]) => Promise<number>;
  /** A new id for a record. */
  readonly newId: () => string;
  readonly acknowledged: (end: number) => void;
}

interface Pending {
  readonly values: readonly Buffer[];
  readonly bytes: number;
  readonly deadlineMs: number;
  readonly resolve: () => void;
  readonly reject: (error: PerdureError) => void;
}

/**
 * Appends to one partition.
 *
 * 1. One Produce is on its way at a time; what is appended meanwhile goes together with the next. So the order of appends is the order of
 *    records, and one fsync serves all who wait.
 * 2. A Produce that failed is tried again before anything behind it, so nothing overtakes. The first may have been done all the same: then its
 *    records are in the log twice, under other ids, and the receiver drops them by input id, event id or mark (I1, I4).
 * 3. Nobody waits longer than `appendTimeoutMs`. What was given up may still be in the log, or come to be.
 */
export class PartitionWriter {
  readonly #options: PartitionWriterOptions;
  readonly #backoff: Backoff;
  #queue: Pending[] = [];
  #queuedBytes = 0;
  #running: Promise<void> | undefined;
  #alarm: CancelTimer | undefined;
  #failure: PerdureError | undefined;
  /** What is on its way. */
  #batch: readonly Pending[] = [];
  readonly #settled = new WeakSet<Pending>();
  #isClosed = false;

  constructor(options: PartitionWriterOptions) {
    this.#options = options;
    this.#backoff = new Backoff(options);
  }

  append(values: readonly Buffer[]): Promise<void> {
    const { clock, limits, name } = this.#options;
    if (values.length === 0) return Promise.resolve();
    const large = values.find((value) => value.length > limits.recordBytesMax);
    if (large) return Promise.reject(new PerdureError('payload-too-large', `A record of ${large.length} bytes is over the limit of ${name}.`));
    if (this.#isClosed) return Promise.reject(new PerdureError('draining', `${name} takes no more.`));
    if (this.#queuedBytes > limits.appendQueueBytesMax) return Promise.reject(new PerdureError('overloaded', `Too much waits to be appended to ${name}.`));
    return new Promise((resolve, reject) => {
      const bytes = values.reduce((sum, value) => sum + value.length, 0);
      this.#queue.push({ values, bytes, deadlineMs: clock.now() + limits.appendTimeoutMs, resolve, reject });
      this.#queuedBytes += bytes;
      this.#watch();
      this.#running ??= this.#run();
    });
  }

  /** What waits is still appended, or rejected in time. */
  async close(): Promise<void> {
    this.#isClosed = true;
    await this.#running;
    this.#alarm?.();
  }

  async #run(): Promise<void> {
    // What is appended in this turn of the event loop goes together.
    await new Promise((resolve) => setImmediate(resolve));
    while (this.#queue.length > 0) {
      this.#batch = this.#takeBatch();
      await this.#send();
    }
    this.#batch = [];
    this.#running = undefined;
  }

  #takeBatch(): readonly Pending[] {
    const { limits } = this.#options;
    let count = 0;
    let bytes = 0;
    let records = 0;
    for (const pending of this.#queue) {
      bytes += pending.bytes;
      records += pending.values.length;
      if (count > 0 && (bytes > limits.produceBytesMax || records > limits.produceRecordsMax)) break;
      count += 1;
    }
    return this.#queue.splice(0, count);
  }

  async #send(): Promise<void> {
    const { name, produce, newId, acknowledged } = this.#options;
    while (this.#batch.length > 0) {
      try {
        const end = await produce(this.#batch.flatMap(({ values }) => values.map((value) => ({ id: newId(), value }))));
        this.#backoff.succeeded();
        this.#failure = undefined;
        acknowledged(end);
        return this.#settle(this.#batch, ({ resolve }) => resolve());
      } catch (thrown) {
        const error = toUnavailable(thrown, `append to ${name}`);
        if (!error.retryable) return this.#settle(this.#batch, ({ reject }) => reject(error));
        this.#failure = error;
        await this.#backoff.afterFailure();
      }
    }
  }

  #settle(pending: readonly Pending[], settle: (pending: Pending) => void): void {
    for (const one of pending) {
      if (this.#settled.has(one)) continue;
      this.#settled.add(one);
      this.#queuedBytes -= one.bytes;
      settle(one);
    }
  }

  /** One alarm, for whoever waits longest. */
  #watch(): void {
    if (this.#alarm) return;
    const first = [...this.#batch, ...this.#queue].find((pending) => !this.#settled.has(pending));
    if (!first) return;
    this.#alarm = this.#options.clock.at(first.deadlineMs, () => {
      this.#alarm = undefined;
      this.#giveUp();
      this.#watch();
    });
  }

  #giveUp(): void {
    const { clock, limits, name } = this.#options;
    const now = clock.now();
    const isLate = ({ deadlineMs }: Pending): boolean => deadlineMs <= now;
    const error = new PerdureError('unavailable', `${name} has not taken the append within ${limits.appendTimeoutMs} ms.`, { cause: this.#failure });
    this.#settle([...this.#batch, ...this.#queue].filter(isLate), ({ reject }) => reject(error));
    this.#queue = this.#queue.filter((pending) => !isLate(pending));
    this.#batch = this.#batch.filter((pending) => !isLate(pending));
  }
}
