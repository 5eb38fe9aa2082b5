import type { ChildProcess } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import type { Children } from '../children.js';
import { freePorts, untilSaysReady } from './ports.js';
import type { System, SystemOptions } from './system.js';

const SERVER = fileURLToPath(new URL('../bare-server.js', import.meta.url));

/** node:http without anything behind it: what no server on Node can pass on this machine, with this generator beside it. */
export class BareSystem implements System {
  readonly name = 'bare';
  readonly title = 'limit: node:http';
  readonly options: SystemOptions = { folder: '' };
  readonly #children: Children;
  #port = 0;
  #server: ChildProcess | undefined;

  constructor(children: Children) {
    this.#children = children;
  }

  get url(): string {
    return `http://127.0.0.1:${this.#port}`;
  }

  pids(): Readonly<Record<string, number>> {
    return { server: this.#server!.pid! };
  }

  async start(): Promise<void> {
    [this.#port = 0] = await freePorts(1);
    await this.startServer();
  }

  async startServer(): Promise<void> {
    this.#server = this.#children.fork(SERVER, [String(this.#port)], { stdio: ['ignore', 'ignore', 'inherit', 'ipc'] });
    await untilSaysReady(this.#server);
  }

  async killServer(): Promise<void> {
    await this.#children.end(this.#server!);
  }

  stop(): Promise<void> {
    return this.killServer();
  }
}
