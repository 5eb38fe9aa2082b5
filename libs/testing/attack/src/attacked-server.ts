import { spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { mkdirSync, mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { freePort } from '@perdure/servers';
import { describeFindings, verifyFolder } from '@perdure/verify';
import { inherited } from './config.js';

const POLL_MS = 20;

/** Waits for something to become true, for as long as whoever asks may wait. */
export const until = async (holds: () => boolean | Promise<boolean>): Promise<void> => {
  while (!(await holds())) await sleep(POLL_MS);
};

export interface AttackedServerOptions {
  /** The server's built `main.js`. */
  readonly main: string;
  /** Where its data is; a fresh folder that goes with the server by default. */
  readonly data?: string;
  readonly env?: Readonly<Record<string, string>>;
}

/** The real server as its users run it, to be attacked. */
export class AttackedServer {
  readonly data: string;
  readonly url: string;
  output = '';
  readonly #options: AttackedServerOptions;
  readonly #port: number;
  readonly #own: string | undefined;
  #child: ChildProcess | undefined;

  private constructor(options: AttackedServerOptions, port: number) {
    this.#options = options;
    this.#port = port;
    this.#own = options.data === undefined ? mkdtempSync(join(tmpdir(), 'perdure-attack-')) : undefined;
    this.data = options.data ?? join(this.#own!, 'data');
    this.url = `http://127.0.0.1:${port}`;
    mkdirSync(this.data, { recursive: true });
  }

  static async create(options: AttackedServerOptions): Promise<AttackedServer> {
    return new AttackedServer(options, await freePort());
  }

  static async start(options: AttackedServerOptions): Promise<AttackedServer> {
    const server = await AttackedServer.create(options);
    await server.start();
    return server;
  }

  get isRunning(): boolean {
    return this.#child !== undefined && this.#child.exitCode === null && this.#child.signalCode === null;
  }

  get rssMib(): number {
    return Number(/VmRSS:\s+(\d+)/.exec(readFileSync(`/proc/${this.#child!.pid}/status`, 'utf8'))![1]) / 1024;
  }

  /** Resolves when it is ready; rejects with what it wrote when it ends before. */
  async start(): Promise<void> {
    const env = { ...inherited, PERDURE_PORT: String(this.#port), PERDURE_DATA: this.data, PERDURE_SAMPLES: 'off', PERDURE_LOG_LEVEL: 'warn', ...this.#options.env };
    const child = spawn(process.execPath, [this.#options.main], { env, stdio: ['ignore', 'pipe', 'pipe'] });
    this.#child = child;
    for (const stream of [child.stdout, child.stderr]) stream.on('data', (chunk: Buffer) => (this.output = (this.output + chunk.toString()).slice(-OUTPUT_KEPT)));
    await until(async () => {
      if (!this.isRunning) throw new Error(`the server ended with ${child.exitCode}: ${this.output}`);
      return fetch(`${this.url}/readyz`).then(({ ok }) => ok, () => false);
    });
  }

  async stop(signal: 'SIGKILL' | 'SIGTERM'): Promise<number | null> {
    if (!this.isRunning) return this.#child?.exitCode ?? null;
    const exited = once(this.#child!, 'exit');
    this.#child!.kill(signal);
    const [code] = (await exited) as [number | null];
    return code;
  }

  /** What is wrong with what it has stored; nothing when all is well. Stop it before. */
  async unsound(): Promise<string> {
    return describeFindings((await verifyFolder(this.data)).findings);
  }

  /** Ends it and takes its own folder away. */
  async dispose(): Promise<void> {
    await this.stop('SIGKILL');
    if (this.#own) rmSync(this.#own, { recursive: true });
  }
}

const OUTPUT_KEPT = 1_000_000;
