import { readFileSync } from 'node:fs';
import type { Secured } from '../security/secured.js';

export interface KafkaUser {
  readonly name: string;
  readonly password: string;
}

/** Who may speak to brokers that are secured: brokers do so as this one, too. */
export const ADMIN = 'perdure';

export interface KafkaNode {
  readonly id: number;
  readonly data: string;
  readonly port: number;
  readonly controllerPort: number;
}

export interface KafkaSetup {
  readonly node: KafkaNode;
  /** All of the cluster, this one included; each is its broker and a controller. */
  readonly nodes: readonly Pick<KafkaNode, 'id' | 'controllerPort'>[];
  /** Clients and brokers by TLS, known by SCRAM-SHA-512 or, as `plainUser` too, by PLAIN. */
  readonly secured?: KafkaSecured | undefined;
}

export interface KafkaSecured extends Secured {
  /** Besides `perdure`, for who knows PLAIN alone. */
  readonly plainUser?: KafkaUser;
}

/** A broker that was killed is let in again once its former self's session is over: by default that takes 9 seconds. */
const SESSION_MS = 3_000;

export const serverProperties = (setup: KafkaSetup): string => {
  const { node: { id, data, port, controllerPort }, nodes, secured } = setup;
  // What is acknowledged is on two of three.
  const [replicas, inStep] = nodes.length < 3 ? [1, 1] : [3, 2];
  const listeners = `CLIENTS://127.0.0.1:${port},CONTROLLER://127.0.0.1:${controllerPort}`;
  return `process.roles=broker,controller
node.id=${id}
${nodes.length === 1 ? `controller.quorum.bootstrap.servers=127.0.0.1:${controllerPort}` : `controller.quorum.voters=${nodes.map((each) => `${each.id}@127.0.0.1:${each.controllerPort}`).join(',')}`}
controller.listener.names=CONTROLLER
listeners=${listeners}
advertised.listeners=${listeners}
listener.security.protocol.map=CLIENTS:${secured ? 'SASL_SSL' : 'PLAINTEXT'},CONTROLLER:PLAINTEXT
inter.broker.listener.name=CLIENTS
${secured ? securedProperties(secured) : ''}log.dirs=${data}
auto.create.topics.enable=false
num.partitions=1
num.network.threads=2
num.io.threads=4
default.replication.factor=${replicas}
min.insync.replicas=${inStep}
offsets.topic.replication.factor=${replicas}
offsets.topic.num.partitions=4
transaction.state.log.replication.factor=${replicas}
transaction.state.log.min.isr=${inStep}
transaction.state.log.num.partitions=4
share.coordinator.state.topic.replication.factor=${replicas}
share.coordinator.state.topic.min.isr=${inStep}
share.coordinator.state.topic.num.partitions=4
group.initial.rebalance.delay.ms=0
broker.session.timeout.ms=${SESSION_MS}
broker.heartbeat.interval.ms=${SESSION_MS / 6}
`;
};

/** What a user's secret is made of, for the tool that formats a data folder: brokers need theirs before there is a cluster to ask. */
export const scramOf = ({ password }: Secured): string => `SCRAM-SHA-512=[name=${ADMIN},password=${password}]`;

const securedProperties = ({ certificate, authority, password, plainUser }: KafkaSecured): string => {
  const login = `username="${ADMIN}" password="${password}"`;
  const plainUsers = [{ name: ADMIN, password }, ...(plainUser ? [plainUser] : [])].map((user) => `user_${user.name}="${user.password}"`).join(' ');
  return `sasl.enabled.mechanisms=SCRAM-SHA-512,PLAIN
sasl.mechanism.inter.broker.protocol=SCRAM-SHA-512
listener.name.clients.scram-sha-512.sasl.jaas.config=org.apache.kafka.common.security.scram.ScramLoginModule required ${login};
listener.name.clients.plain.sasl.jaas.config=org.apache.kafka.common.security.plain.PlainLoginModule required ${login} ${plainUsers};
ssl.keystore.type=PEM
ssl.keystore.certificate.chain=${oneLine(certificate.cert)}
ssl.keystore.key=${oneLine(certificate.key)}
ssl.truststore.type=PEM
ssl.truststore.certificates=${oneLine(authority)}
`;
};

const oneLine = (file: string): string => readFileSync(file, 'utf8').trim().replaceAll('\n', '\\n');
