import { join } from 'node:path';
import { freePort } from '../process/ports.js';
import { askHttp } from '../process/probes.js';
import type { ServerProcess } from '../process/server-process.js';
import { startServer, type StartOptions } from '../process/start-server.js';
import { executables, withVersionFlag } from '../programs/candidates.js';
import { goTool } from '../programs/go-tool.js';
import type { ProgramRecipe } from '../programs/program.js';

const VERSION = '1.5.1';

/** Temporal's command line, which holds its development server: a peer to measure beside, no part of a mesh. */
export const temporalProgram: ProgramRecipe = {
  name: 'temporal',
  versionMin: [1, 5],
  candidates: (config) => executables('temporal', config).map(withVersionFlag),
  fetched: {
    version: VERSION,
    fetch: (surroundings) =>
      goTool(
        { name: 'temporal', version: VERSION, module: 'temporal', package: 'github.com/temporalio/cli/cmd/temporal', versionVariable: 'github.com/temporalio/cli/temporalcli.Version', takes: 'about 4 minutes', instead: "put Temporal's CLI 1.5 or later on the PATH" },
        surroundings,
      ),
  },
};

export interface TemporalOptions extends StartOptions {
  /** SQLite's pragmas for its database file. */
  readonly pragmas?: Readonly<Record<string, string>>;
  /** Settings of the server itself, in place of its defaults. */
  readonly dynamicConfig?: Readonly<Record<string, string | number | boolean>>;
}

/** The development server over a database file, without its web page. Its address is its HTTP API's URL, its first other port gRPC's. */
export function startTemporal(options: TemporalOptions): Promise<ServerProcess> {
  return startServer(options, async (ground) => {
    const [grpcPort, metricsPort] = [await freePort(), await freePort()];
    const address = `http://127.0.0.1:${ground.port}`;
    return {
      command: options.program.path,
      args: [
        ...['server', 'start-dev', '--headless', '--log-level', 'error', '--ip', '127.0.0.1', '--port', String(grpcPort), '--http-port', String(ground.port), '--metrics-port', String(metricsPort)],
        ...['--db-filename', join(ground.folder, 'temporal.db'), ...Object.entries(options.pragmas ?? {}).flatMap(([name, value]) => ['--sqlite-pragma', `${name}=${value}`])],
        ...Object.entries(options.dynamicConfig ?? {}).flatMap(([name, value]) => ['--dynamic-config-value', `${name}=${JSON.stringify(value)}`]),
      ],
      address,
      ports: [ground.port, grpcPort, metricsPort],
      answers: () => askHttp(`${address}/api/v1/namespaces/default`),
    };
  });
}
