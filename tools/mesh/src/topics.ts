import { DAPR_TOPICS } from '@perdure/dapr';
import { Kafka, logLevel } from 'kafkajs';

/** So that deliveries to one service do not wait behind each other's slices. */
const PARTITIONS = 4;

/** The topics of Dapr's pub/sub (`broker`: `host:port`, several with commas), where the broker makes none by itself. */
export const createTopics = async (broker: string): Promise<void> => {
  const admin = new Kafka({ clientId: 'perdure-mesh', brokers: broker.split(','), logLevel: logLevel.NOTHING }).admin();
  await admin.connect();
  try {
    const known = new Set(await admin.listTopics());
    const topics = DAPR_TOPICS.filter((topic) => !known.has(topic)).map((topic) => ({ topic, numPartitions: PARTITIONS }));
    if (topics.length > 0) await admin.createTopics({ topics, waitForLeaders: true });
  } finally {
    await admin.disconnect();
  }
};
