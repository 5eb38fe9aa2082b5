import { randomUUID } from 'node:crypto';
import { TrimmableLog, type LogEntry, type LogRecord } from '@perdure/delivery';
import { Fetcher, type FetcherOptions } from './fetcher.js';
import type { KafkaCluster, PartitionName, TopicView } from './kafka-cluster.js';
import { toUnavailable } from './kafka-fault.js';
import { PartitionReader, type PartitionReaderOptions } from './partition-reader.js';
import { PartitionWriter, type Produced } from './partition-writer.js';
import { encodeEntry } from './record-codec.js';

export interface KafkaLogOptions extends Omit<PartitionReaderOptions, 'cluster' | 'fetcher'>, FetcherOptions {
  readonly produce: (partition: PartitionName, records: readonly Produced[]) => Promise<number>;
}

/** Of the log itself: the cluster, the topic, and which topic of that name. */
const identityOf = ({ clusterId, name, id }: TopicView): string => `${clusterId}/${name}/${id}`;

/** One slice's log: one partition. */
export class KafkaLog extends TrimmableLog {
  readonly #cluster: KafkaCluster;
  readonly #partition: PartitionName;
  readonly #reader: PartitionReader;
  readonly #writer: PartitionWriter;
  /** The same throughout the life of this object, and no other's. */
  readonly #writerId = randomUUID().slice(0, 13);
  #ids = 0;

  constructor({ produce, ...options }: KafkaLogOptions) {
    super();
    const { cluster, topic, partition } = options;
    this.#cluster = cluster;
    this.#partition = { topic, partition };
    this.#reader = new PartitionReader({ ...options, fetcher: () => new Fetcher(options) });
    this.#writer = new PartitionWriter({
      ...options,
      name: `${topic}/${partition}`,
      produce: (records) => produce(this.#partition, records),
      newId: () => `${this.#writerId}.${(++this.#ids).toString(36)}`,
      acknowledged: (end) => this.#reader.reaches(end),
    });
  }

  override async describe(): Promise<{ readonly identity: string; readonly begin: number; readonly end: number }> {
    try {
      const { view, begin, end } = await this.#cluster.ends(this.#partition);
      this.#reader.isOf(view.id);
      this.#reader.reaches(end);
      return { identity: identityOf(view), begin, end };
    } catch (thrown) {
      throw toUnavailable(thrown, `describe ${this.#partition.topic}`);
    }
  }

  override read(offset: number, limit: number): Promise<readonly LogRecord[]> {
    return this.#reader.read(offset, limit);
  }

  override async append(entries: readonly LogEntry[]): Promise<void> {
    await this.#writer.append(entries.map(encodeEntry));
  }

  override onAppend(listener: () => void): () => void {
    return this.#reader.onAppend(listener);
  }

  override async trim(beforeOffset: number): Promise<void> {
    if (beforeOffset <= 1) return;
    try {
      await this.#cluster.deleteRecords(this.#partition, beforeOffset - 1);
    } catch (thrown) {
      throw toUnavailable(thrown, `trim ${this.#partition.topic}`);
    }
  }

  async close(): Promise<void> {
    await Promise.all([this.#writer.close(), this.#reader.close()]);
  }
}
