import { mkdir } from 'node:fs/promises';
import { join } from 'node:path';
import { setTimeout as after } from 'node:timers/promises';
import { daprdProgram, obtain, ServerError, type ServerProcess, type Surroundings } from '@perdure/servers';
import { MeshNodeProcess } from './mesh-node.js';
import { MESH_SERVICES, type MeshOptions, type MeshService } from './mesh-options.js';
import { lockMachine } from './machine-lock.js';
import { startServers, type MeshServers } from './mesh-servers.js';
import { secretsOf } from './secrets.js';
import { slicesOf } from './slices.js';
import { createTopics } from './topics.js';

/** The nodes must own their slices within this time. */
const READY_MS_MAX = 60_000;
const BETWEEN_LOOKS_MS = 100;

type StartNode = (node: { readonly service: MeshService; readonly index: number; readonly port: number | undefined }) => Promise<MeshNodeProcess>;

/** The whole mesh on this machine: servers, five services with any number of nodes each, a sidecar for each node. It ends with this process. */
export class LocalMesh {
  readonly servers: MeshServers;
  readonly #nodes: MeshNodeProcess[];
  readonly #startNode: StartNode;
  readonly #lock: { release(): void };

  private constructor({ servers, nodes, startNode, lock }: { readonly servers: MeshServers; readonly nodes: readonly MeshNodeProcess[]; readonly startNode: StartNode; readonly lock: { release(): void } }) {
    this.servers = servers;
    this.#nodes = [...nodes];
    this.#startNode = startNode;
    this.#lock = lock;
  }

  static async start(options: MeshOptions, surroundings: Surroundings): Promise<LocalMesh> {
    await mkdir(options.folder, { recursive: true });
    const lock = await lockMachine(surroundings.config.cacheFolder, { patienceMs: options.patienceMs ?? 0 });
    try {
      return await LocalMesh.#start(options, { surroundings, lock });
    } catch (error) {
      lock.release();
      throw error;
    }
  }

  static async #start(options: MeshOptions, { surroundings, lock }: { readonly surroundings: Surroundings; readonly lock: { release(): void } }): Promise<LocalMesh> {
    const { folder, root, components, given, replicas, slicesPerNode = 1 } = options;
    const slices = slicesOf(folder, { replicas, perNode: slicesPerNode });
    const daprd = await obtain(daprdProgram, surroundings);
    const servers = await startServers(given, { folder, surroundings });
    const started: MeshNodeProcess[] = [];
    try {
      await createTopics(servers.addresses.kafka);
      const env = environmentOf(servers, { ...options, slices });
      const startNode: StartNode = async (each) =>
        MeshNodeProcess.start({ ...each, root, folder, env: { ...env, ...(await options.envOf?.(each, servers.addresses)) }, daprd, components, ...(options.wayTo ? { wayTo: options.wayTo } : {}), configFile: join(components, each.service === 'ingestion' ? 'configuration-ingestion.yaml' : 'configuration.yaml') });
      const wanted = MESH_SERVICES.flatMap((service) => Array.from({ length: replicas[service] }, (_, index) => ({ service, index, port: service === 'ingestion' && index === 0 ? options.port : undefined })));
      const starting = await surroundings.progress.step(`starting ${wanted.length} nodes and their sidecars`, () => Promise.allSettled(wanted.map(startNode)));
      for (const each of starting) if (each.status === 'fulfilled') started.push(each.value);
      const failed = starting.find((each) => each.status === 'rejected');
      if (failed) throw failed.reason;
      return new LocalMesh({ servers, nodes: started, startNode, lock });
    } catch (error) {
      await Promise.all(started.map((node) => node.stop()));
      await Promise.all(servers.started.map((server) => server.stop()));
      throw error;
    }
  }

  get nodes(): readonly MeshNodeProcess[] {
    return this.#nodes;
  }

  /** One node more, which takes its share of the service's slices. */
  async add(service: MeshService): Promise<MeshNodeProcess> {
    const node = await this.#startNode({ service, index: this.#nodes.filter((each) => each.service === service).length, port: undefined });
    this.#nodes.push(node);
    return node;
  }

  /** Of the public API. */
  get urls(): readonly string[] {
    return this.nodes.filter(({ service }) => service === 'ingestion').map(({ url }) => url);
  }

  get processes(): readonly ServerProcess[] {
    return [...this.servers.started, ...this.nodes.flatMap(({ app, sidecar }) => [app, sidecar])];
  }

  /** Resolves when every node owns what it is to own. @throws ServerError after a minute */
  async ready(): Promise<void> {
    const untilMs = performance.now() + READY_MS_MAX;
    for (;;) {
      const states = await Promise.all(this.nodes.map(async (node) => ({ node, why: await node.unready() })));
      const unready = states.filter(({ why }) => why !== undefined);
      if (unready.length === 0) return;
      const dead = unready.find(({ node }) => node.app.pid === undefined);
      if (dead || performance.now() > untilMs) throw new ServerError(unready.map(({ node, why }) => `${node.name} is not ready (${node.app.pid === undefined ? 'it has ended' : why}); its log is ${node.app.logFile}`).join('\n'));
      await after(BETWEEN_LOOKS_MS);
    }
  }

  async stop(): Promise<void> {
    // Ingestion first, so that nobody is asked who has gone.
    for (const service of MESH_SERVICES) await Promise.all(this.nodes.filter((node) => node.service === service).map((node) => node.stop()));
    await Promise.all(this.servers.started.map((server) => server.stop()));
    this.#lock.release();
  }
}

/** What nodes, sidecars and components find their servers by. */
const environmentOf = ({ addresses }: MeshServers, { folder, env, slices }: Pick<MeshOptions, 'folder' | 'env'> & { readonly slices: string }): Readonly<Record<string, string>> => {
  const { snapshotKey, nodeToken } = secretsOf(folder);
  return {
    PERDURE_ETCD: addresses.etcd, PERDURE_POSTGRES: addresses.postgres, PERDURE_KAFKA: addresses.kafka, PERDURE_REDIS: addresses.redis,
    // What the components name.
    PERDURE_KAFKA_BROKERS: addresses.kafka, PERDURE_REDIS_HOST: addresses.redis, PERDURE_SECRET_STATE_URL: addresses.postgres,
    PERDURE_SLICES: slices, PERDURE_SNAPSHOT_KEY: snapshotKey, APP_API_TOKEN: nodeToken, ...env,
  };
};
