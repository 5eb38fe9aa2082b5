import { PerdureError } from '@perdure/contract';
import { Backoff, isLogMismatch, LogMismatch, type BackoffOptions, type LogRecord, type SliceName } from '@perdure/delivery';
import type { Fetched, Fetcher } from './fetcher.js';
import type { KafkaCluster, PartitionName } from './kafka-cluster.js';
import { saysKafka, toUnavailable } from './kafka-fault.js';
import type { KafkaLimits } from './kafka-limits.js';
import { decodeRecord, type RawRecord } from './record-codec.js';

export interface PartitionReaderOptions extends BackoffOptions, PartitionName {
  readonly limits: KafkaLimits;
  readonly slice: SliceName;
  readonly cluster: Pick<KafkaCluster, 'ends' | 'view' | 'refresh'>;
  /** One for those that wait, one for those for which a reader waits. */
  readonly fetcher: () => Pick<Fetcher, 'fetch' | 'close'>;
  readonly trouble: (error: PerdureError) => void;
}

const bytesOf = ({ value }: RawRecord): number => 100 + (value?.length ?? 0);

/**
 * Reads one partition for the one who owns its slice. While somebody listens, a fetch waits at the broker, so that a record is here as soon as
 * it is acknowledged, and a little is read ahead.
 *
 * 1. `#ahead` are the records from the reader's offset on without a gap; `#next` is where the next fetch begins.
 * 2. Where a fetch waits for a record, nothing read ahead means nothing to read, except below `#end`, which this process knows to be there.
 */
export class PartitionReader {
  readonly #options: PartitionReaderOptions;
  readonly #listeners = new Set<() => void>();
  /** The waiting fetches, and those for which a reader waits. */
  readonly #waiting: Pick<Fetcher, 'fetch' | 'close'>;
  readonly #asking: Pick<Fetcher, 'fetch' | 'close'>;
  readonly #backoff: Backoff;
  #ahead: RawRecord[] = [];
  #aheadBytes = 0;
  /** `undefined`: nobody has said yet where to begin. */
  #next: number | undefined;
  /** Where a fetch waits. */
  #waitsAt: number | undefined;
  #end = 0;
  #topicId: string | undefined;
  #fault: LogMismatch | undefined;
  #following: Promise<void> | undefined;
  #hasRoom: () => void = () => undefined;

  constructor(options: PartitionReaderOptions) {
    this.#options = options;
    this.#waiting = options.fetcher();
    this.#asking = options.fetcher();
    this.#backoff = new Backoff(options);
  }

  /** This process has learned that the log reaches as far. */
  reaches(end: number): void {
    this.#end = Math.max(this.#end, end);
  }

  /** The topic is `topicId` as of now. Whoever still listens has the old one, and is told so by `read`. */
  isOf(topicId: string): void {
    if (this.#listeners.size > 0) return;
    this.#fault = undefined;
    if (this.#topicId === topicId) return;
    this.#topicId = topicId;
    this.#reset(undefined);
    this.#end = 0;
  }

  async read(offset: number, limit: number): Promise<readonly LogRecord[]> {
    this.#seek(offset);
    if (this.#ahead.length === 0 && (this.#waitsAt !== offset || offset < this.#end)) await this.#fill(offset);
    if (this.#fault) throw this.#fault;
    // Another reader may have moved on meanwhile; there is one owner, so it does not matter whose turn it is.
    const first = this.#ahead.findIndex((record) => record.offset >= offset);
    return first < 0 ? [] : this.#ahead.slice(first, first + limit).map((record) => this.#decode(record));
  }

  onAppend(listener: () => void): () => void {
    // The same function twice is two listeners.
    const own = (): void => listener();
    this.#listeners.add(own);
    this.#following ??= this.#follow();
    return () => {
      this.#listeners.delete(own);
      if (this.#listeners.size === 0) this.#hasRoom();
    };
  }

  async close(): Promise<void> {
    this.#listeners.clear();
    this.#hasRoom();
    this.#backoff.stop();
    await Promise.all([this.#waiting.close(), this.#asking.close()]);
    await this.#following;
  }

  #seek(offset: number): void {
    const isHere = this.#next !== undefined && offset <= this.#next && (this.#ahead[0]?.offset ?? this.#next) <= offset;
    if (!isHere) return this.#reset(offset);
    const taken = this.#ahead.findIndex((record) => record.offset >= offset);
    const gone = this.#ahead.splice(0, taken < 0 ? this.#ahead.length : taken);
    this.#aheadBytes -= gone.reduce((sum, record) => sum + bytesOf(record), 0);
    if (this.#aheadBytes < this.#options.limits.prefetchBytesMax) this.#hasRoom();
  }

  #reset(next: number | undefined): void {
    this.#ahead = [];
    this.#aheadBytes = 0;
    this.#next = next;
    this.#hasRoom();
  }

  async #fill(offset: number): Promise<void> {
    try {
      this.#put(await this.#fetch(this.#asking, { offset, waitMs: 0 }));
    } catch (thrown) {
      throw toUnavailable(thrown, `read ${this.#options.slice}`);
    }
  }

  /** What a fetch from `#next` or before it has brought. Whether it was anything new. */
  #put({ records, next }: Fetched): boolean {
    const from = this.#next ?? next;
    const isNew = records.filter((record) => record.offset >= from);
    this.#ahead.push(...isNew);
    this.#aheadBytes += isNew.reduce((sum, record) => sum + bytesOf(record), 0);
    this.#next = Math.max(from, next);
    this.reaches(this.#next);
    return isNew.length > 0;
  }

  async #follow(): Promise<void> {
    while (this.#listeners.size > 0 && !this.#fault) {
      try {
        await this.#followOnce();
        this.#backoff.succeeded();
      } catch (thrown) {
        if (isLogMismatch(thrown)) {
          this.#fault = thrown;
          this.#tell();
          break;
        }
        if (this.#listeners.size > 0 && this.#backoff.isFirst) this.#options.trouble(toUnavailable(thrown, `read ${this.#options.slice}`));
        await this.#backoff.afterFailure();
      }
    }
    this.#following = undefined;
    // Somebody came while the last fetch was on its way.
    if (this.#listeners.size > 0 && !this.#fault) this.#following = this.#follow();
  }

  async #followOnce(): Promise<void> {
    const { cluster, topic, partition, limits } = this.#options;
    if (this.#aheadBytes >= limits.prefetchBytesMax) return new Promise((resolve) => (this.#hasRoom = resolve));
    if (this.#next === undefined) {
      const { end } = await cluster.ends({ topic, partition });
      this.#next ??= end;
      // What came between their asking and this answer is behind it.
      this.#tell();
    }
    const offset = this.#next;
    this.#waitsAt = offset;
    const fetched = await this.#fetch(this.#waiting, { offset, waitMs: limits.fetchWaitMs }).finally(() => (this.#waitsAt = undefined));
    // The reader has gone elsewhere meanwhile: back, or further than this reaches.
    if (this.#next < offset || this.#next > fetched.next) return;
    if (this.#put(fetched)) this.#tell();
  }

  async #fetch(fetcher: Pick<Fetcher, 'fetch'>, { offset, waitMs }: { readonly offset: number; readonly waitMs: number }): Promise<Fetched> {
    const { cluster, topic } = this.#options;
    this.#topicId ??= (await cluster.view(topic)).id;
    try {
      return await fetcher.fetch({ topicId: this.#topicId, offset, waitMs });
    } catch (thrown) {
      if (saysKafka(thrown, 'OFFSET_OUT_OF_RANGE')) await this.#checkRange(offset);
      if (saysKafka(thrown, 'UNKNOWN_TOPIC_ID', 'UNKNOWN_TOPIC_OR_PARTITION', 'INCONSISTENT_TOPIC_ID')) await this.#checkTopic();
      throw thrown;
    }
  }

  async #checkRange(offset: number): Promise<void> {
    const { cluster, topic, partition, slice } = this.#options;
    const { begin, end } = await cluster.ends({ topic, partition });
    if (offset > end) throw new LogMismatch(slice, `ends at ${end}, and ${offset} was to be read`);
    if (offset < begin) throw new LogMismatch(slice, `begins at ${begin}, and ${offset} was to be read`);
  }

  /** After a broker's start it may not know the topic for a moment. */
  async #checkTopic(): Promise<void> {
    const { cluster, topic, slice } = this.#options;
    const { id } = await cluster.refresh(topic);
    if (id !== this.#topicId) throw new LogMismatch(slice, `is topic ${id} now, and ${this.#topicId} was read`);
  }

  #decode(record: RawRecord): LogRecord {
    try {
      return decodeRecord(record);
    } catch (thrown) {
      throw new LogMismatch(this.#options.slice, `cannot be read: ${thrown instanceof Error ? thrown.message : String(thrown)}`);
    }
  }

  #tell(): void {
    for (const listener of this.#listeners) listener();
  }
}
