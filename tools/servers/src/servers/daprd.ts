import { join } from 'node:path';
import { freePort } from '../process/ports.js';
import { askHttp } from '../process/probes.js';
import type { ServerProcess } from '../process/server-process.js';
import { startServer, type StartOptions } from '../process/start-server.js';
import { executables, withVersionFlag } from '../programs/candidates.js';
import { goTool } from '../programs/go-tool.js';
import type { ProgramRecipe } from '../programs/program.js';

const VERSION = '1.18.1';

/** The stock sidecar. `dapr init` puts it into .dapr/bin of the home folder. */
export const daprdProgram: ProgramRecipe = {
  name: 'daprd',
  versionMin: [1, 18],
  candidates: (config) => executables('daprd', config, [join(config.home, '.dapr', 'bin')]).map(withVersionFlag),
  fetched: {
    version: VERSION,
    fetch: (surroundings) =>
      goTool(
        { name: 'daprd', version: VERSION, module: 'daprd', package: 'github.com/dapr/dapr/cmd/daprd', buildTags: 'stablecomponents', versionVariable: 'github.com/dapr/dapr/pkg/buildinfo.version', takes: 'about 5 minutes', instead: 'put daprd 1.18 or later on the PATH (the Dapr CLI brings it)' },
        surroundings,
      ),
  },
};

export interface DaprdOptions extends StartOptions {
  readonly appId: string;
  /** Where the application listens. Without one the sidecar has nobody to deliver to. */
  readonly appPort?: number;
  /** A folder of components, subscriptions and resiliency policies. */
  readonly resources: string;
  /** A file with a `Configuration`. */
  readonly configFile?: string;
  readonly logLevel?: 'debug' | 'info' | 'warn' | 'error';
  /** Ports other than free ones, next to `port`, which is HTTP's. */
  readonly grpcPort?: number;
  readonly internalGrpcPort?: number;
  readonly metricsPort?: number;
  readonly env?: Readonly<Record<string, string>>;
  /** Further arguments, last. */
  readonly args?: readonly string[];
}

/** A sidecar on loopback, without placement and scheduler. Its address is its HTTP API's URL. It is ready before its application is. */
export function startDaprd(options: DaprdOptions): Promise<ServerProcess> {
  return startServer(options, async (ground) => {
    const grpcPort = options.grpcPort ?? (await freePort());
    const internalGrpcPort = options.internalGrpcPort ?? (await freePort());
    const metricsPort = options.metricsPort ?? (await freePort());
    const { port } = ground;
    const address = `http://127.0.0.1:${port}`;
    return {
      command: options.program.path,
      args: [
        ...['--app-id', options.appId, '--app-protocol', 'http', ...(options.appPort === undefined ? [] : ['--app-port', String(options.appPort)])],
        ...['--dapr-http-port', String(port), '--dapr-grpc-port', String(grpcPort), '--dapr-listen-addresses', '127.0.0.1'],
        ...['--dapr-internal-grpc-port', String(internalGrpcPort), '--dapr-internal-grpc-listen-address', '127.0.0.1'],
        ...['--metrics-port', String(metricsPort), '--metrics-listen-address', '127.0.0.1'],
        ...['--placement-host-address', '', '--scheduler-host-address', '', '--resources-path', options.resources],
        ...(options.configFile === undefined ? [] : ['--config', options.configFile]),
        ...['--log-level', options.logLevel ?? 'warn', ...(options.args ?? [])],
      ],
      // Else it registers the machine's own address with the name resolver.
      env: { ...options.env, DAPR_HOST_IP: '127.0.0.1' },
      address,
      ports: [port, grpcPort, internalGrpcPort, metricsPort],
      answers: () => askHttp(`${address}/v1.0/healthz/outbound`),
    };
  });
}
