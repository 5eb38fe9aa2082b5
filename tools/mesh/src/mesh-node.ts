import { mkdir } from 'node:fs/promises';
import { join } from 'node:path';
import { askHttp, freePort, ServerProcess, startDaprd, type Program } from '@perdure/servers';
import type { MeshOptions, MeshService, WayEnd } from './mesh-options.js';
import { startSidecar } from './start-sidecar.js';

export interface NodeOptions {
  readonly root: string;
  readonly folder: string;
  readonly service: MeshService;
  readonly index: number;
  readonly port?: number | undefined;
  readonly env: Readonly<Record<string, string>>;
  readonly daprd: Program;
  readonly components: string;
  readonly configFile: string;
  readonly wayTo?: MeshOptions['wayTo'];
}

/** Bytes of a body, for the sidecar: a batch of messages with their payloads. */
const BODY_MAX = '64Mi';

/** A sidecar whose node is dead or held takes nothing from the broker that another node could have. Seconds, milliseconds, times. */
const APP_HEALTH = ['--enable-app-health-check', '--app-health-check-path', '/healthz', '--app-health-probe-interval', '2', '--app-health-probe-timeout', '1500', '--app-health-threshold', '3'];

/** kafkajs asks for a timer in the past, once a process; it means at once. */
const QUIET = ['--disable-warning=TimeoutNegativeWarning'];

/** A node of a service, and its sidecar. */
export class MeshNodeProcess {
  readonly name: string;
  readonly service: MeshService;
  readonly app: ServerProcess;
  readonly sidecar: ServerProcess;

  private constructor({ name, service, app, sidecar }: Pick<MeshNodeProcess, 'name' | 'service' | 'app' | 'sidecar'>) {
    this.name = name;
    this.service = service;
    this.app = app;
    this.sidecar = sidecar;
  }

  /** The service's process answers when it serves; whether it is ready, `/readyz` tells. */
  static async start({ root, folder, service, index, port, env, daprd, components, configFile, wayTo }: NodeOptions): Promise<MeshNodeProcess> {
    const name = `${service}-${index}`;
    const sidecarName = `${name}-daprd`;
    const appPort = port ?? (await freePort());
    const daprPort = await freePort();
    const own = join(folder, name);
    await mkdir(own, { recursive: true });
    const address = `http://127.0.0.1:${appPort}`;
    const found = async (end: WayEnd['end'], listens: number): Promise<number> => (wayTo ? wayTo({ node: name, end, port: listens }) : listens);
    const [appFound, sidecarFound] = [await found('app', appPort), await found('sidecar', daprPort)];
    const starting = await Promise.allSettled([
      ServerProcess.start({
        name, command: process.execPath, args: [...QUIET, join(root, 'apps', service, 'dist', 'main.js')], env: { ...env, PERDURE_HOST: '127.0.0.1', PERDURE_PORT: String(appPort), PERDURE_ADDRESS: `127.0.0.1:${appFound}`, DAPR_HTTP_PORT: String(sidecarFound) },
        folder: own, temporary: false, logFile: join(own, `${name}.log`), address, port: appPort, ports: [appPort], answers: () => askHttp(`${address}/healthz`),
      }),
      startSidecar(() => startDaprd({ program: daprd, name: sidecarName, folder: own, port: daprPort, appId: service, appPort: appFound, resources: components, configFile, env, args: ['--max-body-size', BODY_MAX, ...APP_HEALTH] }), { logFile: join(own, `${sidecarName}.log`) }),
    ]);
    const [app, sidecar] = starting;
    if (app.status === 'fulfilled' && sidecar.status === 'fulfilled') return new MeshNodeProcess({ name, service, app: app.value, sidecar: sidecar.value });
    await Promise.all(starting.map((each) => (each.status === 'fulfilled' ? each.value.stop() : undefined)));
    throw starting.find((each) => each.status === 'rejected')!.reason;
  }

  get url(): string {
    return this.app.address;
  }

  /** `undefined`: it is ready. */
  async unready(): Promise<string | undefined> {
    try {
      await askHttp(`${this.url}/readyz`);
      return undefined;
    } catch (error) {
      return error instanceof Error ? error.message : String(error);
    }
  }

  /** The service first: it says goodbye through its sidecar. */
  async stop(): Promise<void> {
    await this.app.stop();
    await this.sidecar.stop();
  }
}
