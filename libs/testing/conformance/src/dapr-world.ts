import { SystemClock } from '@perdure/clock';
import { answerBulk, DaprBus, DAPR_LIMITS, DaprSidecar, DELIVERIES_EVENTS_PATH, DELIVERIES_METHOD, deliveryTopic, parseDeliveries, type DaprBusOptions } from '@perdure/dapr';
import { ComponentFolder, isKafka, readMeshEnvironment, SidecarProcess } from '@perdure/dapr/testing';
import type { Service } from '@perdure/delivery';
import { fastify, type FastifyInstance } from 'fastify';
import { Kafka, logLevel, type KafkaConfig } from 'kafkajs';
import type { BusWorld, Deliveries } from './bus-suite.js';

export interface DaprWorldOptions {
  readonly env: NodeJS.ProcessEnv;
  /** Of components. */
  readonly folder: string;
  readonly ways?: Pick<DaprBusOptions, 'direct' | 'pubsub'>;
  readonly deliver: (service: Service, deliveries: Deliveries) => Promise<void>;
  readonly components?: Readonly<Record<string, string>>;
  /** Where topics are made. Default: the ring's. */
  readonly kafka?: KafkaConfig;
}

interface Side {
  readonly app: FastifyInstance;
  readonly process: SidecarProcess;
  readonly sidecar: DaprSidecar;
  readonly bus: DaprBus;
}

type SideName = 'history' | 'scheduler';
const PARTITIONS = 3;

/** Two apps with a stock daprd each, over the servers of the ring. */
export class DaprWorld implements BusWorld {
  readonly folder: ComponentFolder;
  readonly #sides: Readonly<Record<SideName, Side>>;
  /** What went wrong on the way; nothing of it may lose anything. */
  readonly heard: string[];

  private constructor(folder: ComponentFolder, sides: Readonly<Record<SideName, Side>>, heard: string[]) {
    this.folder = folder;
    this.#sides = sides;
    this.heard = heard;
  }

  static async start(options: DaprWorldOptions): Promise<DaprWorld> {
    const mesh = readMeshEnvironment(options.env);
    const folder = new ComponentFolder({ from: options.folder, prefix: `t${process.pid}${Math.round(performance.now())}-` });
    if (isKafka(folder.path)) await createTopics(options.kafka ?? { brokers: [mesh.kafka] }, folder.topics);
    const heard: string[] = [];
    const start = (name: SideName): Promise<Side> => startSide(name, { ...options, folder, heard, mesh });
    const [history, scheduler] = await Promise.all([start('history'), start('scheduler')]);
    return new DaprWorld(folder, { history, scheduler }, heard);
  }

  get buses(): { readonly history: DaprBus; readonly scheduler: DaprBus } {
    return { history: this.#sides.history.bus, scheduler: this.#sides.scheduler.bus };
  }

  sidecar(name: SideName): SidecarProcess {
    return this.#sides[name].process;
  }

  client(name: SideName): DaprSidecar {
    return this.#sides[name].sidecar;
  }

  async close(): Promise<void> {
    for (const { bus, sidecar, process, app } of Object.values(this.#sides)) {
      await bus.close();
      await sidecar.close();
      await process.kill();
      await app.close();
    }
    this.folder.remove();
  }
}

interface SideOptions extends Omit<DaprWorldOptions, 'folder'> {
  readonly folder: ComponentFolder;
  readonly heard: string[];
  readonly mesh: ReturnType<typeof readMeshEnvironment>;
}

async function startSide(name: SideName, { folder, heard, mesh, ways, deliver, components }: SideOptions): Promise<Side> {
  const app = await receiverApp(name, deliver, (what) => void heard.push(what));
  const sidecarProcess = await SidecarProcess.start({
    daprd: mesh.daprd,
    appId: folder.appId(name),
    appPort: (app.server.address() as { port: number }).port,
    resources: folder.path,
    config: `${folder.path}/configuration.yaml`,
    environment: { ...mesh.components, ...components },
  });
  const clock = new SystemClock();
  const sidecar = new DaprSidecar({ host: '127.0.0.1', httpPort: sidecarProcess.httpPort, clock });
  const bus = new DaprBus({
    sidecar,
    clock,
    ...ways,
    appIdOf: (service) => folder.appId(service),
    topicOf: (service) => folder.topic(deliveryTopic(service)),
    events: { notDelivered: (_service, way, { message }) => void heard.push(`${way}: ${message}`) },
  });
  return { app, process: sidecarProcess, sidecar, bus };
}

/** The two routes as a service has them. */
async function receiverApp(service: Service, deliver: DaprWorldOptions['deliver'], hear: (what: string) => void): Promise<FastifyInstance> {
  // The suites send what they like, under any key.
  const app = fastify({ bodyLimit: DAPR_LIMITS.bodyBytesMax, onProtoPoisoning: 'ignore', onConstructorPoisoning: 'ignore' });
  app.addContentTypeParser('application/cloudevents+json', { parseAs: 'string' }, app.getDefaultJsonParser('ignore', 'ignore'));
  app.post(`/${DELIVERIES_METHOD}`, async (request) => {
    await deliver(service, parseDeliveries(request.body));
    return {};
  });
  const options = { unreadable: ({ message }: Error) => hear(`unreadable: ${message}`), undelivered: ({ message }: Error) => hear(`undelivered: ${message}`) };
  app.post(DELIVERIES_EVENTS_PATH, async (request, reply) => {
    const { httpStatus, body } = await answerBulk(request.body, (batch) => deliver(service, batch), options);
    return reply.code(httpStatus).send(body);
  });
  await app.listen({ host: '127.0.0.1', port: 0 });
  return app;
}

async function createTopics(config: KafkaConfig, topics: readonly string[]): Promise<void> {
  const admin = new Kafka({ ...config, logLevel: logLevel.NOTHING }).admin();
  await admin.connect();
  await admin.createTopics({ topics: topics.map((topic) => ({ topic, numPartitions: PARTITIONS })), waitForLeaders: false });
  await admin.disconnect();
}
