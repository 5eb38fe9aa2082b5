import type { ChildProcess } from 'node:child_process';
import { mkdirSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import type { Children } from '../children.js';
import { deployWorkflows, startWorker } from './perdure-side.js';
import { freePorts, untilReady } from './ports.js';
import { commandOf, type System, type SystemOptions } from './system.js';

const SERVER = fileURLToPath(new URL('../../../../apps/standalone/dist/main.js', import.meta.url));
const ACTIVITIES = fileURLToPath(new URL('../bench.activities.js', import.meta.url));

export interface PerdureOptions extends SystemOptions {
  readonly title?: string;
  /** In a process of their own, or in the server's. */
  readonly activities?: 'worker' | 'server';
  /** Settings beside those that `npm start` ships. */
  readonly env?: Readonly<Record<string, string>>;
}

/** The built server as `npm start` runs it, without the sample product. */
export class PerdureSystem implements System {
  readonly name = 'perdure';
  readonly title: string;
  readonly options: PerdureOptions;
  readonly #children: Children;
  #port = 0;
  #server: ChildProcess | undefined;
  #worker: ChildProcess | undefined;

  constructor(children: Children, options: PerdureOptions) {
    this.#children = children;
    this.options = options;
    this.title = options.title ?? 'perdure';
  }

  get url(): string {
    return `http://127.0.0.1:${this.#port}`;
  }

  pids(): Readonly<Record<string, number>> {
    return { server: this.#server!.pid!, ...(this.#worker ? { worker: this.#worker.pid! } : {}) };
  }

  async start(): Promise<void> {
    [this.#port = 0] = await freePorts(1);
    mkdirSync(this.options.folder, { recursive: true });
    await this.startServer();
    await deployWorkflows(this.url);
    if (this.options.activities !== 'server') this.#worker = await startWorker(this.#children, this.url);
  }

  async startServer(): Promise<void> {
    const { folder, activities, trace, env: own } = this.options;
    const env = { ...process.env, ...own, PERDURE_HOST: '127.0.0.1', PERDURE_PORT: String(this.#port), PERDURE_DATA: folder, PERDURE_SAMPLES: 'off', ...(activities === 'server' ? { PERDURE_ACTIVITIES: ACTIVITIES } : {}) };
    this.#server = this.#children.spawn(...commandOf(process.execPath, [SERVER], trace), { env, stdio: ['ignore', 'pipe', 'pipe'] });
    await untilReady(`${this.url}/readyz`, this.#server);
  }

  async killServer(): Promise<void> {
    await this.#children.end(this.#server!);
  }

  async stop(): Promise<void> {
    if (this.#worker) await this.#children.end(this.#worker);
    if (this.#server) await this.#children.end(this.#server, 'SIGTERM');
  }
}
