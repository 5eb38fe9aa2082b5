import { fork, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { watch, type FSWatcher } from 'node:fs';
import { basename, dirname } from 'node:path';
import { fileURLToPath } from 'node:url';
import { inherited } from '../config.js';

export interface KeptWorkerOptions {
  /** Absolute paths of the modules. */
  readonly files: readonly string[];
  readonly url: string;
  readonly tenant?: string;
  readonly apiKey?: string;
  readonly print: (text: string) => void;
}

/** Several saves within this time are one change. */
const SETTLE_MS = 100;

/** The activities' worker in a process of its own, started again whenever one of its files changes, also after it failed to load them. */
export class KeptWorker {
  readonly #options: KeptWorkerOptions;
  readonly #watchers: readonly FSWatcher[];
  #child: ChildProcess;
  #pending: NodeJS.Timeout | undefined;

  constructor(options: KeptWorkerOptions) {
    this.#options = options;
    this.#child = this.#start();
    // The folder, since many editors put a new file in the old one's place.
    this.#watchers = options.files.map((file) => watch(dirname(file), (_, name) => name === basename(file) && this.#changed()));
  }

  /** Resolves when it has ended: what runs may finish for a while. */
  async stop(): Promise<void> {
    for (const watcher of this.#watchers) watcher.close();
    clearTimeout(this.#pending);
    const child = this.#child;
    if (hasEnded(child)) return;
    const ended = once(child, 'exit');
    child.kill('SIGTERM');
    await ended;
  }

  #start(): ChildProcess {
    const { files, url, tenant, apiKey } = this.#options;
    const env = { PERDURE_URL: url, PERDURE_ACTIVITIES: JSON.stringify(files), ...(tenant ? { PERDURE_TENANT: tenant } : {}), ...(apiKey ? { PERDURE_API_KEY: apiKey } : {}) };
    return fork(fileURLToPath(new URL('./dev-worker.js', import.meta.url)), [], { env: { ...inherited, ...env }, stdio: ['ignore', 'inherit', 'inherit', 'ipc'] });
  }

  #changed(): void {
    clearTimeout(this.#pending);
    this.#pending = setTimeout(() => this.#restart(), SETTLE_MS);
  }

  #restart(): void {
    this.#options.print('perdure dev: activities changed, restarting the worker');
    const old = this.#child;
    const next = (): void => {
      this.#child = this.#start();
    };
    if (hasEnded(old)) return next();
    old.once('exit', next);
    old.kill('SIGTERM');
  }
}

const hasEnded = ({ exitCode, signalCode }: ChildProcess): boolean => exitCode !== null || signalCode !== null;
