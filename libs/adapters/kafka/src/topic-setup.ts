import type { Kafka } from 'kafkajs';
import { PerdureError } from '@perdure/contract';
import type { Backoff } from '@perdure/delivery';
import type { KafkaCluster, TopicView } from './kafka-cluster.js';

export interface TopicWish {
  readonly topic: string;
  readonly partitions: number;
  /** -1: as the broker does by default. */
  readonly replicationFactor: number;
  readonly config: Readonly<Record<string, string>>;
}

export interface TopicSetup {
  readonly kafka: Kafka;
  readonly cluster: KafkaCluster;
  readonly backoff: Backoff;
  readonly isLate: () => boolean;
}

/**
 * The topic as it is wished, made if there is none.
 * @throws PerdureError when it has another number of partitions: each slice is one, for ever
 */
export async function ensureTopic({ topic, partitions, replicationFactor, config }: TopicWish, { kafka, cluster, backoff, isLate }: TopicSetup): Promise<TopicView> {
  for (;;) {
    try {
      const view = (await cluster.find(topic)) ?? (await create());
      if (view.leaders.length !== partitions) throw new PerdureError('internal', `Topic ${topic} has ${view.leaders.length} partitions, and ${partitions} slices need one each.`, { retryable: false });
      if (view.leaders.every((leader) => leader !== undefined)) return view;
      throw new PerdureError('unavailable', `Topic ${topic} has partitions without a leader.`);
    } catch (thrown) {
      if (isLate() || (thrown instanceof PerdureError && !thrown.retryable)) throw thrown;
      await backoff.afterFailure();
    }
  }

  async function create(): Promise<TopicView> {
    const admin = kafka.admin();
    await admin.connect();
    try {
      // `false`: another node was faster.
      await admin.createTopics({ waitForLeaders: false, topics: [{ topic, numPartitions: partitions, replicationFactor, configEntries: Object.entries(config).map(([name, value]) => ({ name, value })) }] });
    } finally {
      await admin.disconnect();
    }
    return cluster.refresh(topic);
  }
}
