import type { ChildProcess } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { obtain, startTemporal, temporalProgram, type ServerProcess } from '@perdure/servers';
import type { Children } from '../children.js';
import { TEMPORAL_TASK_QUEUE } from '../dialects.js';
import { untilSaysReady } from './ports.js';
import type { System, SystemOptions } from './system.js';

const WORKER = fileURLToPath(new URL('../../temporal/worker.ts', import.meta.url));

/**
 * Two settings in Temporal's favour. SQLite writes a write-ahead log in place of its rollback journal: it syncs each commit as well, with fewer syncs. And
 * the server looks for new tasks as often as there are any: by default 20 times a second a shard, of which it has one, so that each of a run's eleven waits 50 ms.
 */
const SETTINGS = { pragmas: { journal_mode: 'wal' }, dynamicConfig: { 'history.transferProcessorMaxPollRPS': 1_000 } } as const;

/** Temporal's development server over a database file, and a worker with every default. */
export class TemporalSystem implements System {
  readonly name = 'temporal';
  readonly title = 'temporal';
  readonly options: SystemOptions;
  readonly #children: Children;
  #server: ServerProcess | undefined;
  #worker: ChildProcess | undefined;

  constructor(children: Children, options: SystemOptions) {
    this.#children = children;
    this.options = options;
  }

  get url(): string {
    return this.#server!.address;
  }

  pids(): Readonly<Record<string, number>> {
    return { server: this.#server!.pid!, worker: this.#worker!.pid! };
  }

  async start(): Promise<void> {
    this.#server = await startTemporal({ program: await obtain(temporalProgram), folder: this.options.folder, ...SETTINGS });
    await this.#startWorker();
  }

  async startServer(): Promise<void> {
    await this.#server!.restart();
    await this.#startWorker();
  }

  async killServer(): Promise<void> {
    await Promise.all([this.#server!.kill(), this.#children.end(this.#worker!)]);
  }

  async stop(): Promise<void> {
    if (this.#worker) await this.#children.end(this.#worker);
    await this.#server?.stop();
  }

  async #startWorker(): Promise<void> {
    const [, grpcPort] = this.#server!.ports;
    this.#worker = this.#children.fork(WORKER, [`127.0.0.1:${grpcPort}`, TEMPORAL_TASK_QUEUE], { stdio: ['ignore', 'ignore', 'ignore', 'ipc'] });
    await untilSaysReady(this.#worker);
  }
}
