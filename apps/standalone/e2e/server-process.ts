import { spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { setTimeout as sleep } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';

const MAIN = fileURLToPath(new URL('../dist/main.js', import.meta.url));

/** Waits for something to become true, for as long as the test itself may take. */
export const until = async (holds: () => boolean | Promise<boolean>): Promise<void> => {
  while (!(await holds())) await sleep(5);
};

/** The real server as its users run it, on the built files. */
export class ServerProcess {
  readonly url: string;
  output = '';
  readonly #env: Record<string, string>;
  #child: ChildProcess | undefined;

  constructor(options: { readonly port: number; readonly data: string; readonly env?: Record<string, string> }) {
    this.url = `http://127.0.0.1:${options.port}`;
    this.#env = { PERDURE_PORT: String(options.port), PERDURE_DATA: options.data, PERDURE_SAMPLES: 'off', PERDURE_LOG_LEVEL: 'warn', ...options.env };
  }

  get pid(): number {
    return this.#child!.pid!;
  }

  /** Resolves when it is ready; rejects with what it wrote when it ends before. */
  async start(): Promise<void> {
    const child = spawn(process.execPath, [MAIN], { env: { ...process.env, ...this.#env }, stdio: ['ignore', 'pipe', 'pipe'] });
    this.#child = child;
    for (const stream of [child.stdout, child.stderr]) stream.on('data', (chunk: Buffer) => (this.output += chunk.toString()));
    await until(async () => {
      if (child.exitCode !== null) throw new Error(`the server ended with ${child.exitCode}: ${this.output}`);
      return fetch(`${this.url}/readyz`).then(({ ok }) => ok, () => false);
    });
  }

  async stop(signal: 'SIGKILL' | 'SIGTERM'): Promise<number | null> {
    const child = this.#child;
    if (!child || child.exitCode !== null || child.signalCode !== null) return child?.exitCode ?? null;
    const exited = once(child, 'exit');
    child.kill(signal);
    const [code] = (await exited) as [number | null];
    return code;
  }
}
