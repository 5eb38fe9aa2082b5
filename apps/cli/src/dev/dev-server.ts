import { fork, type ChildProcess } from 'node:child_process';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';
import { inherited } from '../config.js';
import { logLine } from '../show/log-line.js';

export interface DevServerOptions {
  readonly port: number;
  readonly data: string;
  readonly print: (text: string) => void;
}

/** The server in a process of its own, so that killing it is as real as it gets. It ends when this process does. */
export class DevServer {
  /** Its URL, once it listens; rejects when it ends before. */
  readonly listening: Promise<string>;
  /** How it ended: `exit code 1`, `SIGKILL`. */
  readonly ended: Promise<string>;
  readonly #child: ChildProcess;

  constructor({ port, data, print }: DevServerOptions) {
    const main = fileURLToPath(import.meta.resolve('@perdure/standalone/main'));
    this.#child = fork(main, [], { env: { ...inherited, PERDURE_PORT: String(port), PERDURE_DATA: data, PERDURE_SAMPLES: 'off' }, stdio: ['ignore', 'pipe', 'inherit', 'ipc'] });
    createInterface({ input: this.#child.stdout! }).on('line', (line) => print(logLine(line)));
    this.ended = new Promise((resolve) => this.#child.once('exit', (code, signal) => resolve(signal ?? `exit code ${code}`)));
    this.listening = Promise.race([new Promise<string>((resolve) => this.#child.once('message', ({ url }: { url: string }) => resolve(url))), this.ended.then((how) => Promise.reject(new Error(`the server did not start (${how}); --port and --data name another port and another folder`)))]);
    // Whoever waits for it hears of it; nobody has to.
    this.listening.catch(() => undefined);
  }

  get pid(): number | undefined {
    return this.#child.pid;
  }

  stop(): void {
    this.#child.kill('SIGTERM');
  }
}
