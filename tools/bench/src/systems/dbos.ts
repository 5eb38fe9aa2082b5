import type { ChildProcess } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import type { ServerProcess } from '@perdure/servers';
import type { Children } from '../children.js';
import { freePorts, untilSaysReady } from './ports.js';
import type { System, SystemOptions } from './system.js';

const APP = fileURLToPath(new URL('../../dbos/app.ts', import.meta.url));
const DATABASE = 'bench_dbos';

export interface DbosOptions extends SystemOptions {
  /** The server that the mesh uses too; DBOS makes a database of its own in it. */
  readonly postgres: ServerProcess;
}

/** DBOS is a library over PostgreSQL: one program of ours that uses it, with every default. */
export class DbosSystem implements System {
  readonly name = 'dbos';
  readonly title = 'dbos';
  readonly options: DbosOptions;
  readonly #children: Children;
  #port = 0;
  #app: ChildProcess | undefined;

  constructor(children: Children, options: DbosOptions) {
    this.#children = children;
    this.options = options;
  }

  get url(): string {
    return `http://127.0.0.1:${this.#port}`;
  }

  pids(): Readonly<Record<string, number>> {
    return { app: this.#app!.pid!, postgres: this.options.postgres.pid! };
  }

  async start(): Promise<void> {
    [this.#port = 0] = await freePorts(1);
    await this.startServer();
  }

  async startServer(): Promise<void> {
    const database = new URL(this.options.postgres.address);
    database.pathname = DATABASE;
    // Of the database driver that it uses, on every start.
    const execArgv = ['--disable-warning=DeprecationWarning'];
    this.#app = this.#children.fork(APP, [database.href, String(this.#port)], { execArgv, stdio: ['ignore', 'ignore', 'inherit', 'ipc'] });
    await untilSaysReady(this.#app);
  }

  async killServer(): Promise<void> {
    await this.#children.end(this.#app!);
  }

  async stop(): Promise<void> {
    if (this.#app) await this.#children.end(this.#app);
  }
}
