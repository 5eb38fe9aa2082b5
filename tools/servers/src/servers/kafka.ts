import { existsSync, readdirSync } from 'node:fs';
import { writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { serversConfig } from '../config.js';
import { freePort } from '../process/ports.js';
import { askTcp } from '../process/probes.js';
import type { ServerProcess, ServerSpec } from '../process/server-process.js';
import { startServer, type Ground, type StartOptions } from '../process/start-server.js';
import { executables } from '../programs/candidates.js';
import { mavenJars } from '../programs/maven-jars.js';
import type { Candidate, Program, ProgramRecipe } from '../programs/program.js';
import { run } from '../run.js';
import { javaFor } from './java.js';
import { scramOf, serverProperties, type KafkaNode, type KafkaSecured, type KafkaSetup } from './kafka-properties.js';
import { startTogether } from './start-together.js';

const VERSION = '4.4.0';
const JAVA_MIN = 17;
const INSTEAD = 'give the address of a Kafka 4 broker';
/** Any will do, as long as a data folder keeps its own. */
const CLUSTER_ID = 'MkU3OEVBNTcwNTJENDM2Qk';

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

/** One broker that is its own controller. Its address is host:port. Topics exist only where they are created. `secured`: by TLS and SASL alone. */
export function startKafka({ secured, ...options }: StartOptions & { readonly secured?: KafkaSecured }): Promise<ServerProcess> {
  return startServer(options, async ({ folder, port }) => {
    const node = { id: 1, data: join(folder, 'data'), port, controllerPort: await freePort() };
    return brokerOf({ node, nodes: [node], secured }, { program: options.program, folder, heapMb: 512 });
  });
}

export type KafkaClusterOptions = Pick<StartOptions, 'program'> & { readonly brokers: number; readonly secured?: KafkaSecured };

/** Brokers that are the controllers as well; from three on, what they acknowledge is on two of three. */
export async function startKafkaCluster({ program, brokers, secured }: KafkaClusterOptions): Promise<readonly ServerProcess[]> {
  return startTogether({
    members: async () => {
      const nodes: Omit<KafkaNode, 'data'>[] = [];
      for (let id = 1; id <= brokers; id += 1) nodes.push({ id, port: await freePort(), controllerPort: await freePort() });
      return nodes;
    },
    start: (node, nodes) => startServer({ program, name: `kafka-${node.id}`, port: node.port }, async ({ folder }) => brokerOf({ node: { ...node, data: join(folder, 'data') }, nodes, secured }, { program, folder, heapMb: 256 })),
  });
}

interface BrokerGround {
  readonly program: Program;
  readonly folder: string;
  readonly heapMb: number;
}

async function brokerOf(setup: KafkaSetup, { program, folder, heapMb }: BrokerGround): Promise<Omit<ServerSpec, keyof Ground>> {
  const { node: { data, port, controllerPort }, nodes, secured } = setup;
  const java = await javaFor('Kafka', { least: JAVA_MIN, config: serversConfig(), instead: INSTEAD });
  const jars = join(program.path, '*');
  const [properties, logging] = [join(folder, 'server.properties'), join(folder, 'log4j2.properties')];
  await writeFile(properties, serverProperties(setup), { mode: 0o600 });
  await writeFile(logging, LOGGING);
  if (!existsSync(join(data, 'meta.properties'))) {
    const format = ['format', ...(nodes.length === 1 ? ['--standalone'] : []), '-t', CLUSTER_ID, '-c', properties, ...(secured ? ['--add-scram', scramOf(secured)] : [])];
    await run(java, ['-Xmx128m', ...SHORT_LIVED, '-cp', jars, 'kafka.tools.StorageTool', ...format], { cwd: folder });
  }
  return {
    command: java,
    args: [`-Xmx${heapMb}m`, `-Xms${heapMb / 2}m`, ...SHORT_LIVED, `-Dlog4j2.configurationFile=${logging}`, '-cp', jars, 'kafka.Kafka', properties],
    address: `127.0.0.1:${port}`,
    ports: [port, controllerPort],
    answers: () => askTcp({ port, authority: secured?.authority, send: apiVersionsRequest(), isAnswer: (received) => received.length >= 10 && received.readInt16BE(8) === 0 }),
  };
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

const LOGGING = `rootLogger.level = warn
rootLogger.appenderRef.out.ref = out
appender.out.type = Console
appender.out.name = out
appender.out.layout.type = PatternLayout
appender.out.layout.pattern = [%d] %p %m (%c)%n
`;
