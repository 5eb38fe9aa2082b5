import { Kafka, logLevel, type Producer } from 'kafkajs';
import type { Clock } from '@perdure/clock';
import { PerdureError } from '@perdure/contract';
import { Backoff, Logs, serviceOf, sliceIndexOf, type Service, type SliceName } from '@perdure/delivery';
import { KafkaCluster, type PartitionName } from './kafka-cluster.js';
import { isTooLarge, toUnavailable } from './kafka-fault.js';
import { KAFKA_LIMITS, type KafkaLimits } from './kafka-limits.js';
import { KafkaLog } from './kafka-log.js';
import { forKafkajs, type KafkaSecurity } from './kafka-security.js';
import type { Produced } from './partition-writer.js';
import { ID_HEADER } from './record-codec.js';
import { ensureTopic } from './topic-setup.js';

/** The services whose slices have logs. */
export type LoggedService = Extract<Service, 'history' | 'correlation'>;

export interface KafkaLogsOptions {
  /** `host:port` of brokers to begin with. */
  readonly brokers: readonly string[];
  /** Topics are `<prefix>.history` and `<prefix>.correlation`. */
  readonly prefix: string;
  /** Slices of each, for ever: one partition each. */
  readonly counts: Readonly<Record<LoggedService, number>>;
  readonly clock: Clock;
  /** In [0, 1). */
  readonly random: () => number;
  readonly clientId?: string;
  /** Default: in the clear, as nobody. */
  readonly security?: KafkaSecurity;
  /** Of topics that are made; default: the broker's own. Three, and two in step, is what a cluster should have. */
  readonly replicationFactor?: number;
  /** Whether each Produce is on the disk before it is acknowledged. Default: yes. Of topics that are made. */
  readonly isFlushed?: boolean;
  readonly limits?: Partial<KafkaLimits>;
  /** Kafka cannot be read from now; told once until it can be again. It is tried on and on. */
  readonly trouble?: (error: PerdureError) => void;
}

interface Parts {
  readonly limits: KafkaLimits;
  readonly cluster: KafkaCluster;
  /** A broker answers one connection's requests in order, each after its fsync; partitions take turns at several. */
  readonly producers: readonly Producer[];
}

/** The logs of all slices on Kafka: a topic a service, a partition a slice, acknowledged by all replicas, deleted from by us alone. */
export class KafkaLogs extends Logs {
  readonly #options: KafkaLogsOptions;
  readonly #parts: Parts;
  readonly #logs = new Map<SliceName, KafkaLog>();
  readonly #past = new Map<SliceName, KafkaLog>();

  private constructor(options: KafkaLogsOptions, parts: Parts) {
    super();
    this.#options = options;
    this.#parts = parts;
  }

  /** @throws PerdureError when Kafka is not to be had in time, or a topic has another number of partitions */
  static async connect(options: KafkaLogsOptions): Promise<KafkaLogs> {
    const limits = { ...KAFKA_LIMITS, ...options.limits };
    const kafka = toKafka(options, limits);
    const cluster = new KafkaCluster({ brokers: options.brokers, clientId: clientIdOf(options), security: securityOf(options), limits });
    const producers = Array.from({ length: limits.produceConnections }, () => kafka.producer({ allowAutoTopicCreation: false, retry: { retries: 0 }, createPartitioner: () => ({ message }) => message.partition! }));
    const parts = { limits, cluster, producers };
    try {
      await ensureTopics(options, { kafka, cluster, limits });
      await Promise.all(producers.map((producer) => producer.connect()));
      return new KafkaLogs(options, parts);
    } catch (thrown) {
      await disconnect(parts);
      throw toUnavailable(thrown, 'be used');
    }
  }

  override of(slice: SliceName): KafkaLog {
    const log = this.#logs.get(slice) ?? this.#open(slice, this.#parts.limits);
    this.#logs.set(slice, log);
    return log;
  }

  /** The same log for who reads what its owner has read long ago: neither is in the other's way. */
  pastOf(slice: SliceName): KafkaLog {
    const { limits } = this.#parts;
    const log = this.#past.get(slice) ?? this.#open(slice, { ...limits, fetchBytesMax: limits.pastFetchBytesMax });
    this.#past.set(slice, log);
    return log;
  }

  async close(): Promise<void> {
    await Promise.all([...this.#logs.values(), ...this.#past.values()].map((log) => log.close()));
    await disconnect(this.#parts);
  }

  #open(slice: SliceName, limits: KafkaLimits): KafkaLog {
    const { counts, clock, random, trouble = () => undefined } = this.#options;
    const { cluster } = this.#parts;
    const service = serviceOf(slice);
    const partition = sliceIndexOf(slice);
    if (!isLogged(service) || !(partition < counts[service])) throw new PerdureError('internal', `${slice} has no log.`);
    return new KafkaLog({ slice, topic: topicOf(this.#options, service), partition, cluster, clientId: clientIdOf(this.#options), security: securityOf(this.#options), limits, clock, random, trouble, produce: (to, records) => this.#produce(to, records) });
  }

  async #produce({ topic, partition }: PartitionName, records: readonly Produced[]): Promise<number> {
    const messages = records.map(({ id, value }) => ({ partition, value, headers: { [ID_HEADER]: id } }));
    const { producers, limits } = this.#parts;
    try {
      const [answer] = await producers[partition % producers.length]!.send({ topic, acks: -1, timeout: limits.callTimeoutMs, messages });
      return Number(answer!.baseOffset) + records.length;
    } catch (thrown) {
      if (isTooLarge(thrown)) throw new PerdureError('payload-too-large', `Topic ${topic} takes no record as large as that.`, { cause: thrown });
      throw thrown;
    }
  }
}

/** Nobody uses them any more; what they may still complain of helps nobody. */
const disconnect = async ({ producers, cluster }: Pick<Parts, 'producers' | 'cluster'>): Promise<void> => {
  await Promise.allSettled([...producers.map((producer) => producer.disconnect()), cluster.close()]);
};

const isLogged = (service: Service): service is LoggedService => service === 'history' || service === 'correlation';

const topicOf = ({ prefix }: KafkaLogsOptions, service: LoggedService): string => `${prefix}.${service}`;

const clientIdOf = ({ clientId = 'perdure' }: KafkaLogsOptions): string => clientId;

const securityOf = ({ security = {} }: KafkaLogsOptions): KafkaSecurity => security;

/** kafkajs writes, and makes topics. What goes wrong is told by whoever asked, so it logs nothing itself. */
const toKafka = (options: KafkaLogsOptions, { callTimeoutMs }: KafkaLimits): Kafka =>
  new Kafka({
    brokers: [...options.brokers],
    clientId: clientIdOf(options),
    ...forKafkajs(securityOf(options)),
    connectionTimeout: callTimeoutMs,
    // Longer than the broker's own: it is to say so itself if replicas are behind.
    requestTimeout: callTimeoutMs + 500,
    logLevel: logLevel.NOTHING,
    retry: { retries: 1, initialRetryTime: 50, maxRetryTime: 200 },
  });

async function ensureTopics(options: KafkaLogsOptions, { kafka, cluster, limits }: { readonly kafka: Kafka; readonly cluster: KafkaCluster; readonly limits: KafkaLimits }): Promise<void> {
  const { counts, clock, random, replicationFactor = -1, isFlushed = true } = options;
  const untilMs = clock.now() + limits.connectWithinMs;
  const config = {
    'cleanup.policy': 'delete',
    'retention.ms': '-1',
    'retention.bytes': '-1',
    'max.message.bytes': String(limits.recordBytesMax + 64 * 1024),
    ...(isFlushed ? { 'flush.messages': '1' } : {}),
  };
  for (const service of ['history', 'correlation'] as const) {
    await ensureTopic(
      { topic: topicOf(options, service), partitions: counts[service], replicationFactor, config },
      { kafka, cluster, backoff: new Backoff({ clock, random, limits }), isLate: () => clock.now() >= untilMs },
    );
  }
}
