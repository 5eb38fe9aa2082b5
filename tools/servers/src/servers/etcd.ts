import { join } from 'node:path';
import { freePort } from '../process/ports.js';
import { askHttp } from '../process/probes.js';
import type { ServerProcess } from '../process/server-process.js';
import { startServer, type StartOptions } from '../process/start-server.js';
import { executables, withVersionFlag } from '../programs/candidates.js';
import { goTool } from '../programs/go-tool.js';
import type { ProgramRecipe } from '../programs/program.js';

const VERSION = '3.6.6';

export const etcdProgram: ProgramRecipe = {
  name: 'etcd',
  versionMin: [3, 4],
  candidates: (config) => executables('etcd', config).map(withVersionFlag),
  fetched: {
    version: VERSION,
    fetch: (surroundings) =>
      goTool({ name: 'etcd', version: VERSION, module: 'etcd', package: 'go.etcd.io/etcd/server/v3', takes: 'about a minute', instead: 'put etcd 3.4 or later on the PATH (Debian: etcd-server), or give the address of one' }, surroundings),
  },
};

/** One member, alone. Its address is host:port. */
export function startEtcd(options: StartOptions): Promise<ServerProcess> {
  return startServer(options, async (ground) => {
    const peerPort = await freePort();
    const [client, peer] = [`http://127.0.0.1:${ground.port}`, `http://127.0.0.1:${peerPort}`];
    return {
      command: options.program.path,
      args: [
        ...['--name', 'perdure', '--data-dir', join(ground.folder, 'data'), '--log-level', 'warn'],
        ...['--listen-client-urls', client, '--advertise-client-urls', client],
        ...['--listen-peer-urls', peer, '--initial-advertise-peer-urls', peer, '--initial-cluster', `perdure=${peer}`],
      ],
      address: `127.0.0.1:${ground.port}`,
      ports: [ground.port, peerPort],
      // It says it is healthy once it has a leader and can read.
      answers: () => askHttp(`${client}/health`, (body) => /"health":\s*"true"/.test(body)),
    };
  });
}
