import { fetchV13, type Broker, type RecordsBatch } from '@platformatic/kafka';
import { BrokerLink } from './broker-link.js';
import { toUnavailable } from './kafka-fault.js';
import type { KafkaCluster, PartitionName } from './kafka-cluster.js';
import type { KafkaLimits } from './kafka-limits.js';
import type { KafkaSecurity } from './kafka-security.js';
import { ID_HEADER, type RawRecord } from './record-codec.js';

export interface Fetched {
  readonly records: readonly RawRecord[];
  /** Behind the last; what lies between is none of ours to see. */
  readonly next: number;
}

export interface FetcherOptions extends PartitionName {
  readonly cluster: KafkaCluster;
  readonly clientId: string;
  readonly security: KafkaSecurity;
  readonly limits: KafkaLimits;
}

const READ_UNCOMMITTED = 0;
const WITHOUT_SESSION = -1;
const IS_CONTROL = 0b10_0000;

/**
 * Fetches of one partition, by the id of its topic: a topic made anew under the same name is refused by the broker. Each has a connection of
 * its own, since a broker answers those of one connection in turn, and a fetch may wait.
 */
export class Fetcher {
  readonly #options: FetcherOptions;
  #link: BrokerLink | undefined;

  constructor(options: FetcherOptions) {
    this.#options = options;
  }

  /** Waits for a record up to `waitMs`, and no longer than that. @throws what Kafka said, or that it said nothing */
  async fetch({ topicId, offset, waitMs }: { readonly topicId: string; readonly offset: number; readonly waitMs: number }): Promise<Fetched> {
    const { cluster, topic, partition, limits } = this.#options;
    const link = this.#linkTo(await cluster.leaderOf({ topic, partition }));
    const wish: fetchV13.FetchRequestTopic[] = [{ topicId, partitions: [{ partition, currentLeaderEpoch: -1, fetchOffset: BigInt(offset), lastFetchedEpoch: -1, partitionMaxBytes: limits.fetchBytesMax }] }];
    try {
      const { responses } = await link.use((connection) => fetchV13.api.async(connection, waitMs, 1, limits.fetchBytesMax, READ_UNCOMMITTED, 0, WITHOUT_SESSION, wish, [], ''));
      return toFetched(responses[0]?.partitions[0]?.records ?? [], offset);
    } catch (thrown) {
      cluster.forget(topic);
      throw thrown;
    }
  }

  async close(): Promise<void> {
    await this.#link?.close();
  }

  #linkTo(broker: Broker): BrokerLink {
    if (this.#link?.broker.host === broker.host && this.#link.broker.port === broker.port) return this.#link;
    const { clientId, security, limits } = this.#options;
    // Nobody waits for the old one any more.
    this.#link?.close().catch((thrown: unknown) => toUnavailable(thrown, 'close a connection'));
    this.#link = new BrokerLink({ broker, clientId, security, connectTimeoutMs: limits.callTimeoutMs, requestTimeoutMs: limits.fetchWaitMs + limits.callTimeoutMs });
    return this.#link;
  }
}

/** A batch may begin before the offset that was asked for. */
function toFetched(batches: readonly RecordsBatch[], offset: number): Fetched {
  const records: RawRecord[] = [];
  let next = offset;
  for (const { firstOffset, lastOffsetDelta, attributes, records: found } of batches) {
    next = Math.max(next, Number(firstOffset) + lastOffsetDelta + 1);
    if ((attributes & IS_CONTROL) !== 0) continue;
    for (const { offsetDelta, value, headers } of found) {
      const at = Number(firstOffset) + offsetDelta;
      if (at >= offset) records.push({ offset: at, id: headers.find(([name]) => name?.toString() === ID_HEADER)?.[1]?.toString(), value });
    }
  }
  return { records, next };
}
