import { spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { createServer, type AddressInfo } from 'node:net';
import { setTimeout as after } from 'node:timers/promises';

export interface SidecarProcessOptions {
  /** The program. */
  readonly daprd: string;
  readonly appId: string;
  /** Absent: an app that only calls. */
  readonly appPort?: number;
  readonly resources: string;
  readonly config?: string;
  /** What the components refer to. */
  readonly environment: Readonly<Record<string, string | undefined>>;
  readonly flags?: readonly string[];
}

const READY_MS_MAX = 60_000;
const LOOK_EVERY_MS = 50;
const OUTPUT_CHARS_MAX = 100_000;

/** A stock daprd on ports of its own, which it keeps when it is started again. */
export class SidecarProcess {
  readonly httpPort: number;
  readonly #options: SidecarProcessOptions;
  readonly #ports: readonly number[];
  #process: ChildProcess | undefined;
  #output = '';

  private constructor(options: SidecarProcessOptions, ports: readonly number[]) {
    this.#options = options;
    this.#ports = ports;
    this.httpPort = ports[0]!;
  }

  /** @throws Error with its output when it does not get ready */
  static async start(options: SidecarProcessOptions): Promise<SidecarProcess> {
    const sidecar = new SidecarProcess(options, await freePorts(4));
    await sidecar.start();
    return sidecar;
  }

  get output(): string {
    return this.#output;
  }

  async start(): Promise<void> {
    const { daprd, appId, appPort, resources, config, environment, flags = [] } = this.#options;
    const [http, grpc, internal, metrics] = this.#ports;
    const args = [
      ...['--app-id', appId, '--app-protocol', 'http', ...(appPort === undefined ? [] : ['--app-port', `${appPort}`])],
      ...['--dapr-http-port', `${http}`, '--dapr-grpc-port', `${grpc}`, '--dapr-internal-grpc-port', `${internal}`, '--metrics-port', `${metrics}`],
      ...['--dapr-listen-addresses', '127.0.0.1', '--dapr-internal-grpc-listen-address', '127.0.0.1', '--metrics-listen-address', '127.0.0.1'],
      ...['--resources-path', resources, ...(config === undefined ? [] : ['--config', config])],
      ...['--placement-host-address', '', '--scheduler-host-address', '', '--max-body-size', '64Mi', '--log-level', 'info', ...flags],
    ];
    const started = spawn(daprd, args, { stdio: ['ignore', 'pipe', 'pipe'], env: { DAPR_HOST_IP: '127.0.0.1', ...environment } });
    this.#process = started;
    const note = (chunk: Buffer): void => void (this.#output = `${this.#output}${chunk.toString()}`.slice(-OUTPUT_CHARS_MAX));
    started.stdout.on('data', note);
    started.stderr.on('data', note);
    started.on('error', (error) => note(Buffer.from(`${error.message}\n`)));
    await this.#ready(started);
  }

  /** SIGKILL. */
  async kill(): Promise<void> {
    await this.#end('SIGKILL');
  }

  async stop(): Promise<void> {
    await this.#end('SIGTERM');
  }

  async #end(signal: NodeJS.Signals): Promise<void> {
    const ending = this.#process;
    this.#process = undefined;
    if (!ending || ending.exitCode !== null || ending.signalCode !== null) return;
    ending.kill(signal);
    await once(ending, 'exit');
  }

  async #ready(started: ChildProcess): Promise<void> {
    for (let waitedMs = 0; waitedMs < READY_MS_MAX; waitedMs += LOOK_EVERY_MS) {
      if (started.exitCode !== null) break;
      // Refused until its port is open: that is what is waited for.
      const answer = await fetch(`http://127.0.0.1:${this.httpPort}/v1.0/healthz`).catch(() => undefined);
      if (answer?.status === 204) return;
      await after(LOOK_EVERY_MS);
    }
    await this.kill();
    throw new Error(`daprd of ${this.#options.appId} did not get ready:\n${this.#output.slice(-4_000)}`);
  }
}

const freePorts = async (count: number): Promise<number[]> => {
  const servers = Array.from({ length: count }, () => createServer());
  const ports = await Promise.all(servers.map((server) => new Promise<number>((resolve) => server.listen(0, '127.0.0.1', () => resolve((server.address() as AddressInfo).port)))));
  await Promise.all(servers.map((server) => new Promise((resolve) => server.close(resolve))));
  return ports;
};
