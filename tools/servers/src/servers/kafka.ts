import { existsSync, readdirSync } from 'node:fs';
import { writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { serversConfig } from '../config.js';
import { freePort } from '../process/ports.js';
import { askTcp } from '../process/probes.js';
import type { ServerProcess } from '../process/server-process.js';
import { startServer, type StartOptions } from '../process/start-server.js';
import { executables } from '../programs/candidates.js';
import { mavenJars } from '../programs/maven-jars.js';
import type { Candidate, ProgramRecipe } from '../programs/program.js';
import { run } from '../run.js';
import { javaFor } from './java.js';

const VERSION = '4.4.0';
const JAVA_MIN = 17;
const INSTEAD = 'give the address of a Kafka 4 broker';
/** Any will do, as long as a data folder keeps its own. */
const CLUSTER_ID = 'MkU3OEVBNTcwNTJENDM2Qk';

/** A broker that was killed is let in again once its former self's session is over: by default that takes 9 seconds. */
const SESSION_MS = 3_000;

/** Its path is the folder of its jars. */
export const kafkaProgram: ProgramRecipe = {
  name: 'kafka',
  versionMin: [4],
  candidates: (config) => executables('kafka-server-start.sh', config).flatMap((script) => installed(join(dirname(dirname(script)), 'libs'))),
  fetched: { version: VERSION, fetch: (surroundings) => mavenJars({ name: 'kafka', version: VERSION, pom: 'kafka', takes: 'about 15 seconds', instead: `put Kafka 4's bin folder on the PATH, or ${INSTEAD}` }, surroundings) },
};

/** Kafka's own scripts start a JVM to tell the version; the jar's name tells it too. */
function installed(libs: string): Candidate[] {
  if (!existsSync(libs)) return [];
  const jar = readdirSync(libs).find((name) => /^kafka_2\.13-\d[\d.]*\.jar$/.test(name));
  return jar === undefined ? [] : [{ path: libs, version: async () => jar.replace('kafka_2.13-', '') }];
}

/** One broker that is its own controller. Its address is host:port. Topics exist only where they are created. */
export function startKafka(options: StartOptions): Promise<ServerProcess> {
  return startServer(options, async (ground) => {
    const { folder, port } = ground;
    const controllerPort = await freePort();
    const java = await javaFor('Kafka', { least: JAVA_MIN, config: serversConfig(), instead: INSTEAD });
    const jars = join(options.program.path, '*');
    const [properties, logging] = [join(folder, 'server.properties'), join(folder, 'log4j2.properties')];
    await writeFile(properties, serverProperties({ data: join(folder, 'data'), port, controllerPort }));
    await writeFile(logging, LOGGING);
    if (!existsSync(join(folder, 'data', 'meta.properties'))) {
      await run(java, ['-Xmx128m', ...SHORT_LIVED, '-cp', jars, 'kafka.tools.StorageTool', 'format', '--standalone', '-t', CLUSTER_ID, '-c', properties], { cwd: folder });
    }
    return {
      command: java,
      args: ['-Xmx512m', '-Xms256m', ...SHORT_LIVED, `-Dlog4j2.configurationFile=${logging}`, '-cp', jars, 'kafka.Kafka', properties],
      address: `127.0.0.1:${port}`,
      ports: [port, controllerPort],
      answers: () => askTcp({ port, send: apiVersionsRequest(), isAnswer: (received) => received.length >= 10 && received.readInt16BE(8) === 0 }),
    };
  });
}

/** A broker that runs for minutes would spend most of its time on compiling itself: 3.9 ms of CPU an append and fetch with the second compiler, 2.2 without. */
const SHORT_LIVED = ['-XX:TieredStopAtLevel=1', '-XX:+UseSerialGC'];

/** Kafka's smallest question, ApiVersions 0: length, key 18, version, correlation id, client id. It is answered once the broker takes requests. */
function apiVersionsRequest(): Uint8Array {
  const client = Buffer.from('perdure');
  const request = Buffer.alloc(14);
  request.writeInt32BE(10 + client.length, 0);
  request.writeInt16BE(18, 4);
  request.writeInt16BE(client.length, 12);
  return Buffer.concat([request, client]);
}

interface Listening {
  readonly data: string;
  readonly port: number;
  readonly controllerPort: number;
}

const serverProperties = ({ data, port, controllerPort }: Listening): string => `process.roles=broker,controller
node.id=1
controller.quorum.bootstrap.servers=127.0.0.1:${controllerPort}
controller.listener.names=CONTROLLER
listeners=PLAINTEXT://127.0.0.1:${port},CONTROLLER://127.0.0.1:${controllerPort}
advertised.listeners=PLAINTEXT://127.0.0.1:${port},CONTROLLER://127.0.0.1:${controllerPort}
listener.security.protocol.map=PLAINTEXT:PLAINTEXT,CONTROLLER:PLAINTEXT
inter.broker.listener.name=PLAINTEXT
log.dirs=${data}
auto.create.topics.enable=false
num.partitions=1
num.network.threads=2
num.io.threads=4
default.replication.factor=1
min.insync.replicas=1
offsets.topic.replication.factor=1
offsets.topic.num.partitions=4
transaction.state.log.replication.factor=1
transaction.state.log.min.isr=1
transaction.state.log.num.partitions=4
share.coordinator.state.topic.replication.factor=1
share.coordinator.state.topic.min.isr=1
share.coordinator.state.topic.num.partitions=4
group.initial.rebalance.delay.ms=0
broker.session.timeout.ms=${SESSION_MS}
broker.heartbeat.interval.ms=${SESSION_MS / 6}
`;

const LOGGING = `rootLogger.level = warn
rootLogger.appenderRef.out.ref = out
appender.out.type = Console
appender.out.name = out
appender.out.layout.type = PatternLayout
appender.out.layout.pattern = [%d] %p %m (%c)%n
`;
