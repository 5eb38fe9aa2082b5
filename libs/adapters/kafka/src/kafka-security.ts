import { isIP } from 'node:net';
import type { ConnectionOptions } from '@platformatic/kafka';
import type { KafkaConfig, SASLOptions } from 'kafkajs';

/** Each of them PEM. */
export interface KafkaTls {
  /** Who may have signed the brokers' certificates. Absent: whom Node trusts. */
  readonly ca?: string;
  /** What brokers that ask for a certificate are shown. */
  readonly cert?: string;
  readonly key?: string;
}

export interface KafkaSasl {
  readonly mechanism: 'PLAIN' | 'SCRAM-SHA-256' | 'SCRAM-SHA-512';
  readonly username: string;
  readonly password: string;
}

/** How brokers are spoken to. Absent parts: in the clear, as nobody. */
export interface KafkaSecurity {
  /** Brokers are to show a certificate of the name they are reached by. */
  readonly tls?: KafkaTls;
  readonly sasl?: KafkaSasl;
}

const KAFKAJS_MECHANISMS = { PLAIN: 'plain', 'SCRAM-SHA-256': 'scram-sha-256', 'SCRAM-SHA-512': 'scram-sha-512' } as const;

/** As kafkajs takes it. */
export const forKafkajs = ({ tls, sasl }: KafkaSecurity): Pick<KafkaConfig, 'ssl' | 'sasl'> => ({
  ...(tls ? { ssl: { ...tls } } : {}),
  ...(sasl ? { sasl: { mechanism: KAFKAJS_MECHANISMS[sasl.mechanism], username: sasl.username, password: sasl.password } as SASLOptions } : {}),
});

/** As the connection to one broker of `@platformatic/kafka` takes it. */
export const forConnection = ({ tls, sasl }: KafkaSecurity, host: string): Pick<ConnectionOptions, 'tls' | 'tlsServerName' | 'sasl'> => ({
  // TLS knows names alone: an address is checked all the same, but not sent.
  ...(tls ? { tls: { ...tls }, tlsServerName: isIP(host) === 0 } : {}),
  ...(sasl ? { sasl: { ...sasl } } : {}),
});
