import { deleteRecordsV2, listOffsetsV7, metadataV12, type Broker } from '@platformatic/kafka';
import { PerdureError } from '@perdure/contract';
import { BrokerLink } from './broker-link.js';
import { saysKafka } from './kafka-fault.js';
import type { KafkaLimits } from './kafka-limits.js';
import type { KafkaSecurity } from './kafka-security.js';

export interface TopicView {
  readonly name: string;
  /** Another topic under the same name has another. */
  readonly id: string;
  readonly clusterId: string;
  /** By partition. */
  readonly leaders: readonly (Broker | undefined)[];
}

export interface PartitionName {
  readonly topic: string;
  readonly partition: number;
}

const LATEST = -1n;
const EARLIEST = -2n;

export interface KafkaClusterOptions {
  readonly brokers: readonly string[];
  readonly clientId: string;
  readonly security: KafkaSecurity;
  readonly limits: KafkaLimits;
}

/** What is asked of Kafka beside producing and fetching: who leads what, where a log begins and ends. */
export class KafkaCluster {
  readonly #options: KafkaClusterOptions;
  readonly #seeds: readonly Broker[];
  readonly #links = new Map<string, BrokerLink>();
  readonly #views = new Map<string, TopicView>();
  /** Views that are being asked for: those who read a topic's partitions need one at the same time. */
  readonly #asked = new Map<string, Promise<TopicView>>();
  #turn = 0;

  constructor(options: KafkaClusterOptions) {
    this.#options = options;
    this.#seeds = options.brokers.map((address) => {
      const colon = address.lastIndexOf(':');
      return { host: address.slice(0, colon), port: Number(address.slice(colon + 1)) };
    });
  }

  /** As it was seen last. */
  async view(topic: string): Promise<TopicView> {
    return this.#views.get(topic) ?? (await this.refresh(topic));
  }

  /** As it is. @throws PerdureError `unavailable`, also when there is no such topic */
  refresh(topic: string): Promise<TopicView> {
    const asked = this.#asked.get(topic) ?? this.#refresh(topic).finally(() => this.#asked.delete(topic));
    this.#asked.set(topic, asked);
    return asked;
  }

  async #refresh(topic: string): Promise<TopicView> {
    const view = await this.find(topic);
    if (!view) throw new PerdureError('unavailable', `Kafka has no topic ${topic}.`);
    return view;
  }

  async find(topic: string): Promise<TopicView | undefined> {
    // Any broker knows; the next one if this one cannot be asked.
    const seed = this.#seeds[this.#turn % this.#seeds.length]!;
    try {
      return this.#toView(topic, await this.#link(seed).use((connection) => metadataV12.api.async(connection, [topic], false, false)));
    } catch (thrown) {
      if (isUnknownTopic(thrown)) return undefined;
      this.#turn += 1;
      throw thrown;
    }
  }

  /** Where the partition begins and ends, and of which topic, as of now. */
  async ends({ topic, partition }: PartitionName): Promise<{ readonly view: TopicView; readonly begin: number; readonly end: number }> {
    const leader = await this.leaderOf({ topic, partition });
    try {
      // One round: the broker answers a connection's requests in order.
      const [view, end, begin] = await Promise.all([this.#viewFrom(leader, topic), this.#offset(leader, { topic, partition, timestamp: LATEST }), this.#offset(leader, { topic, partition, timestamp: EARLIEST })]);
      return { view, begin, end };
    } catch (thrown) {
      this.#views.delete(topic);
      throw thrown;
    }
  }

  async leaderOf({ topic, partition }: PartitionName): Promise<Broker> {
    const leader = (await this.view(topic)).leaders[partition];
    if (leader) return leader;
    this.#views.delete(topic);
    throw new PerdureError('unavailable', `Partition ${partition} of ${topic} has no leader now.`);
  }

  /** The view was of no use: it is asked for anew. */
  forget(topic: string): void {
    this.#views.delete(topic);
  }

  async deleteRecords({ topic, partition }: PartitionName, before: number): Promise<void> {
    const leader = await this.leaderOf({ topic, partition });
    await this.#link(leader).use((connection) => deleteRecordsV2.api.async(connection, [{ name: topic, partitions: [{ partitionIndex: partition, offset: BigInt(before) }] }], this.#options.limits.callTimeoutMs));
  }

  async close(): Promise<void> {
    await Promise.all([...this.#links.values()].map((link) => link.close()));
  }

  async #viewFrom(broker: Broker, topic: string): Promise<TopicView> {
    const view = this.#toView(topic, await this.#link(broker).use((connection) => metadataV12.api.async(connection, [topic], false, false)));
    if (!view) throw new PerdureError('unavailable', `Kafka has no topic ${topic}.`);
    return view;
  }

  async #offset(broker: Broker, { topic, partition, timestamp }: PartitionName & { readonly timestamp: bigint }): Promise<number> {
    const question = [{ name: topic, partitions: [{ partitionIndex: partition, currentLeaderEpoch: -1, timestamp }] }];
    const { topics } = await this.#link(broker).use((connection) => listOffsetsV7.api.async(connection, -1, 0, question));
    return Number(topics[0]!.partitions[0]!.offset);
  }

  #link(broker: Broker): BrokerLink {
    const address = `${broker.host}:${broker.port}`;
    const { clientId, security, limits } = this.#options;
    const link = this.#links.get(address) ?? new BrokerLink({ broker, clientId, security, connectTimeoutMs: limits.callTimeoutMs, requestTimeoutMs: limits.callTimeoutMs });
    this.#links.set(address, link);
    return link;
  }

  #toView(name: string, { clusterId, brokers, topics }: metadataV12.MetadataResponse): TopicView | undefined {
    const topic = topics.find((found) => found.name === name);
    if (!topic || topic.errorCode !== 0) return undefined;
    const leaders: (Broker | undefined)[] = [];
    for (const { partitionIndex, leaderId } of topic.partitions) {
      const broker = brokers.find(({ nodeId }) => nodeId === leaderId);
      leaders[partitionIndex] = broker && { host: broker.host, port: broker.port };
    }
    const view = { name, id: topic.topicId, clusterId: clusterId ?? '', leaders };
    this.#views.set(name, view);
    return view;
  }
}

const isUnknownTopic = (thrown: unknown): boolean => saysKafka(thrown, 'UNKNOWN_TOPIC_OR_PARTITION');
