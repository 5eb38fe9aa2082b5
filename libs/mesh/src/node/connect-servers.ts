import type { Clock } from '@perdure/clock';
import { agree, CockroachPool, migrate } from '@perdure/cockroach';
import { PerdureError } from '@perdure/contract';
import { isStoreFault } from '@perdure/delivery';
import { EtcdMembership } from '@perdure/etcd';
import { KafkaLogs } from '@perdure/kafka';
import type { MeshConfig } from '../config.js';
import { requireSameMesh } from './same-mesh.js';

export interface Connecting {
  readonly clock: Clock;
  /** In [0, 1). */
  readonly random: () => number;
  /** A server is away, and tried on and on. */
  readonly trouble?: (server: 'Kafka' | 'etcd', error: PerdureError) => void;
}

// As a node's configuration says where its servers are and how they are spoken to.

export const connectPool = ({ postgres }: Pick<MeshConfig, 'postgres'>, { clock, random }: Connecting): CockroachPool => new CockroachPool({ connectionString: postgres, clock, random });

/** Makes the tables that are missing, and sees that they are of this mesh. @throws PerdureError */
export const prepareTables = async (pool: CockroachPool, config: Pick<MeshConfig, 'postgres' | 'prefix' | 'counts'>): Promise<void> => {
  try {
    await migrate(pool);
    await requireSameMesh(config, (said) => agree(pool, said));
  } catch (thrown) {
    // The driver names no server, and there are others that a node connects to.
    throw isStoreFault(thrown) ? new PerdureError('unavailable', `PostgreSQL at ${URL.parse(encodeURI(config.postgres))?.host ?? 'its address'} cannot be used now: ${thrown.message}`, { cause: thrown }) : thrown;
  }
};

/** Makes the topics that are missing. @throws PerdureError */
export const connectLogs = ({ kafka, kafkaSecurity, kafkaReplication, prefix, counts }: Pick<MeshConfig, 'kafka' | 'kafkaSecurity' | 'kafkaReplication' | 'prefix' | 'counts'>, { clock, random, trouble }: Connecting): Promise<KafkaLogs> =>
  KafkaLogs.connect({
    brokers: kafka, security: kafkaSecurity, prefix, counts: { history: counts.history, correlation: counts.correlation }, clock, random, trouble: (error) => trouble?.('Kafka', error),
    ...(kafkaReplication === undefined ? {} : { replicationFactor: kafkaReplication }),
  });

/** @throws PerdureError */
export const connectMembership = ({ etcd, etcdSecurity, prefix }: Pick<MeshConfig, 'etcd' | 'etcdSecurity' | 'prefix'>, { clock, random, trouble }: Connecting): Promise<EtcdMembership> =>
  EtcdMembership.connect({ endpoints: etcd, security: etcdSecurity, prefix: `/${prefix}`, clock, random, trouble: (error) => trouble?.('etcd', error) });
