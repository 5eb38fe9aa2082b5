/** Named limits of the logs on Kafka (I9). Units last. */
export const KAFKA_LIMITS = {
  /** An append that Kafka has not acknowledged by then is rejected as `unavailable`. */
  appendTimeoutMs: 5_000,
  /** One request to a broker, a waiting fetch apart. */
  callTimeoutMs: 2_000,
  /** A new log is ready by then, or the start fails. */
  connectWithinMs: 15_000,
  /** One Produce of one partition: what has waited goes together, up to this. */
  produceRecordsMax: 2_000,
  produceBytesMax: 512 * 1024,
  /** Over which a process produces. */
  produceConnections: 4,
  /** Appends of one partition that wait; beyond it they are refused as `overloaded`. */
  appendQueueBytesMax: 64 * 1024 * 1024,
  /** One record. An input's payload is limited far below, and JSON may write a byte as six. */
  recordBytesMax: 16 * 1024 * 1024,
  /** A fetch waits so long for a record; it does not delay one. */
  fetchWaitMs: 1_000,
  fetchBytesMax: 1024 * 1024,
  /** For who reads what was read long ago: what is read ahead for it is kept in memory. */
  pastFetchBytesMax: 256 * 1024,
  /** Read ahead of the owner, of one partition; beyond it nothing is fetched until the owner has read. */
  prefetchBytesMax: 4 * 1024 * 1024,
  /** After a failure: the first wait, doubling to the longest, each shortened by up to half. */
  retryAfterMs: 50,
  retryAfterMsMax: 1_000,
} as const;

export type KafkaLimits = { readonly [K in keyof typeof KAFKA_LIMITS]: number };
