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

/** How long after it has crashed it is started again: at first, and at most. */
const CRASHED_MS = { first: 250, most: 30_000 };

/**
 * The activities' worker in a process of its own, started again whenever one of its files changes, and when an activity has crashed it. One that fails to load
 * its files waits for a change.
 */
export class KeptWorker {
  readonly #options: KeptWorkerOptions;
  readonly #watchers: readonly FSWatcher[];
  #child: ChildProcess;
  #pending: NodeJS.Timeout | undefined;
  #crashedMs = CRASHED_MS.first;

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
    const child = fork(fileURLToPath(new URL('./dev-worker.js', import.meta.url)), [], { env: { ...inherited, ...env }, stdio: ['ignore', 'inherit', 'inherit', 'ipc'] });
    // Its one message: it has loaded its files.
    child.once('message', () => child.once('exit', (code, signal) => child.killed || this.#crashed(signal ?? `exit code ${code}`)));
    return child;
  }

  #crashed(how: string): void {
    if (this.#pending) return;
    this.#options.print(`perdure dev: the activities' worker has ended by itself (${how}); starting it again, and what it ran`);
    this.#pending = setTimeout(() => {
      this.#pending = undefined;
      this.#child = this.#start();
    }, this.#crashedMs);
    this.#crashedMs = Math.min(2 * this.#crashedMs, CRASHED_MS.most);
  }

  #changed(): void {
    clearTimeout(this.#pending);
    this.#crashedMs = CRASHED_MS.first;
    this.#pending = setTimeout(() => this.#restart(), SETTLE_MS);
  }

  #restart(): void {
    this.#pending = undefined;
    this.#options.print('perdure dev: activities changed, restarting the worker');
    const old = this.#child;
    const next = (): void => {
      this.#child = this.#start();
    };
    if (hasEnded(old)) return next();
    // It is on its way out for an earlier change: the next one will find this one too.
    if (old.killed) return;
    old.once('exit', next);
    old.kill('SIGTERM');
  }
}

const hasEnded = ({ exitCode, signalCode }: ChildProcess): boolean => exitCode !== null || signalCode !== null;
