import { spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';
import { freePort } from '@perdure/servers';

const MAIN = fileURLToPath(new URL('../../standalone/dist/main.js', import.meta.url));

/** The built standalone server as a process of its own, on one port and one data folder however often it is killed. */
export class ServerProcess {
  readonly url: string;
  /** Resolves once the server that runs now, or is about to, listens; rejects with what it said when it does not come up. */
  listening: Promise<void>;
  kills = 0;
  readonly #env: NodeJS.ProcessEnv;
  #child: ChildProcess;

  private constructor(port: number, env: NodeJS.ProcessEnv) {
    this.url = `http://127.0.0.1:${port}`;
    this.#env = { ...process.env, NODE_OPTIONS: '', PERDURE_SAMPLES: 'off', ...env, PERDURE_PORT: String(port) };
    this.#child = this.#spawn();
    this.listening = whenListening(this.#child);
  }

  static async start(env: NodeJS.ProcessEnv): Promise<ServerProcess> {
    const server = new ServerProcess(await freePort(), env);
    await server.listening;
    return server;
  }

  /** SIGKILL, and another on the same data. */
  killAndRestart(): Promise<void> {
    this.kills++;
    this.listening = this.stop().then(() => {
      this.#child = this.#spawn();
      return whenListening(this.#child);
    });
    return this.listening;
  }

  async stop(): Promise<void> {
    const child = this.#child;
    if (child.exitCode !== null || child.signalCode !== null) return;
    const exited = once(child, 'exit');
    child.kill('SIGKILL');
    await exited;
  }

  #spawn(): ChildProcess {
    return spawn(process.execPath, ['--disable-warning=ExperimentalWarning', MAIN], { env: this.#env, stdio: ['ignore', 'pipe', 'pipe'] });
  }
}

const whenListening = (child: ChildProcess): Promise<void> =>
  new Promise((resolve, reject) => {
    const said: string[] = [];
    for (const stream of [child.stdout!, child.stderr!]) {
      createInterface({ input: stream }).on('line', (line) => {
        said.push(line);
        if (line.includes('perdure is listening')) resolve();
      });
    }
    child.once('error', reject);
    child.once('close', (code) => reject(new Error(`the server ended (${code ?? 'killed'}) before it listened; is it built (npx tsc -b)?\n${said.join('\n')}`)));
  });
