import type { ChildProcess } from 'node:child_process';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { LocalMesh, ONE_OF_EACH } from '@perdure/mesh-launcher';
import { LineProgress, serversConfig, type ServerProcess } from '@perdure/servers';
import type { Children } from '../children.js';
import { deployWorkflows, startWorker } from './perdure-side.js';
import type { System, SystemOptions } from './system.js';

const ROOT = fileURLToPath(new URL('../../../..', import.meta.url));

export interface MeshSystemOptions extends SystemOptions {
  /** The server that DBOS uses too. */
  readonly postgres: ServerProcess;
}

/** The mesh as `npm run mesh` starts it, one node of each service with its sidecar, and a worker that pulls from ingestion. */
export class MeshSystem implements System {
  readonly name = 'mesh';
  readonly title = 'mesh';
  readonly options: MeshSystemOptions;
  readonly #children: Children;
  #mesh: LocalMesh | undefined;
  #worker: ChildProcess | undefined;

  constructor(children: Children, options: MeshSystemOptions) {
    this.#children = children;
    this.options = options;
  }

  get url(): string {
    return this.#mesh!.urls[0]!;
  }

  pids(): Readonly<Record<string, number>> {
    return Object.fromEntries([...[this.options.postgres, ...this.#mesh!.processes].map((each) => [each.name, each.pid!] as const), ['worker', this.#worker!.pid!] as const]);
  }

  async start(): Promise<void> {
    const { folder, postgres } = this.options;
    const options = { root: ROOT, folder, replicas: ONE_OF_EACH, components: join(ROOT, 'components', 'local'), given: { postgres: postgres.address } };
    this.#mesh = await LocalMesh.start(options, { config: serversConfig(), progress: new LineProgress() });
    await this.#mesh.ready();
    await deployWorkflows(this.url);
    this.#worker = await startWorker(this.#children, this.url);
  }

  /** All that listen before those that connect. */
  async startServer(): Promise<void> {
    const { servers, nodes } = this.#mesh!;
    await Promise.all(servers.started.map((server) => server.restart()));
    await Promise.all(nodes.flatMap(({ app, sidecar }) => [app.restart(), sidecar.restart()]));
    await this.#mesh!.ready();
  }

  async killServer(): Promise<void> {
    await Promise.all(this.#mesh!.processes.map((each) => each.kill()));
  }

  async stop(): Promise<void> {
    if (this.#worker) await this.#children.end(this.#worker);
    await this.#mesh?.stop();
  }
}
