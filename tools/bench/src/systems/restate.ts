import type { ChildProcess } from 'node:child_process';
import { createRequire } from 'node:module';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import type { Children } from '../children.js';
import { freePorts, untilReady, untilSaysReady } from './ports.js';
import { commandOf, type System, type SystemOptions } from './system.js';

const SERVICE = fileURLToPath(new URL('../../restate/service.ts', import.meta.url));

/** The server's own binary: the npm package picks one by platform and only wraps it. */
const binary = (): string => {
  const require = createRequire(createRequire(import.meta.url).resolve('@restatedev/restate-server/package.json'));
  return join(dirname(require.resolve(`@restatedev/restate-server-${process.platform}-${process.arch}/package.json`)), 'bin', 'restate-server');
};

/**
 * Restate as it comes, on loopback. Its defaults write every log record with a WAL sync; the two settings that could turn that off are
 * named here so that no default can change it, and the harness counts the syncs.
 */
export class RestateSystem implements System {
  readonly name = 'restate';
  readonly title = 'restate';
  readonly options: SystemOptions;
  readonly #children: Children;
  #ports = { ingress: 0, admin: 0, node: 0, service: 0 };
  #server: ChildProcess | undefined;
  #service: ChildProcess | undefined;

  constructor(children: Children, options: SystemOptions) {
    this.#children = children;
    this.options = options;
  }

  get url(): string {
    return `http://127.0.0.1:${this.#ports.ingress}`;
  }

  pids(): Readonly<Record<string, number>> {
    return { server: this.#server!.pid!, worker: this.#service!.pid! };
  }

  async start(): Promise<void> {
    const [ingress = 0, admin = 0, node = 0, service = 0] = await freePorts(4);
    this.#ports = { ingress, admin, node, service };
    this.#service = this.#children.fork(SERVICE, [String(service)], { stdio: ['ignore', 'ignore', 'inherit', 'ipc'] });
    await untilSaysReady(this.#service);
    await this.startServer();
    const registered = await fetch(`http://127.0.0.1:${admin}/deployments`, { method: 'POST', headers: { 'content-type': 'application/json' }, body: JSON.stringify({ uri: `http://127.0.0.1:${service}` }) });
    if (!registered.ok) throw new Error(`Restate does not register the service: ${registered.status} ${await registered.text()}`);
  }

  async startServer(): Promise<void> {
    const { ingress, admin, node } = this.#ports;
    const env = {
      ...process.env,
      RESTATE_BASE_DIR: this.options.folder,
      RESTATE_NODE_NAME: 'bench',
      RESTATE_LISTEN_MODE: 'tcp',
      RESTATE_BIND_ADDRESS: `127.0.0.1:${node}`,
      RESTATE_ADVERTISED_ADDRESS: `http://127.0.0.1:${node}`,
      RESTATE_INGRESS__BIND_ADDRESS: `127.0.0.1:${ingress}`,
      RESTATE_ADMIN__BIND_ADDRESS: `127.0.0.1:${admin}`,
      RESTATE_DISABLE_TELEMETRY: 'true',
      RESTATE_LOG_FILTER: 'warn',
      RESTATE_LOG_SERVER__ROCKSDB_DISABLE_WAL_FSYNC: 'false',
      RESTATE_BIFROST__LOCAL__ROCKSDB_DISABLE_WAL_FSYNC: 'false',
    };
    this.#server = this.#children.spawn(...commandOf(binary(), ['--no-logo'], this.options.trace), { env, stdio: ['ignore', 'pipe', 'pipe'] });
    await untilReady(`http://127.0.0.1:${admin}/health`, this.#server);
    await untilReady(`${this.url}/restate/health`, this.#server);
  }

  async killServer(): Promise<void> {
    await this.#children.end(this.#server!);
  }

  async stop(): Promise<void> {
    if (this.#server) await this.#children.end(this.#server, 'SIGTERM');
    if (this.#service) await this.#children.end(this.#service);
  }
}
