import { askHttp } from '../process/probes.js';
import type { ServerProcess } from '../process/server-process.js';
import { startServer, type StartOptions } from '../process/start-server.js';
import { executables, withVersionFlag } from '../programs/candidates.js';
import { goTool } from '../programs/go-tool.js';
import type { ProgramRecipe } from '../programs/program.js';

const VERSION = '2.12.0';

export const toxiproxyProgram: ProgramRecipe = {
  name: 'toxiproxy',
  versionMin: [2, 5],
  candidates: (config) => executables('toxiproxy-server', config).map(withVersionFlag),
  fetched: {
    version: VERSION,
    fetch: (surroundings) =>
      goTool(
        { name: 'toxiproxy', version: VERSION, module: 'toxiproxy', package: 'github.com/Shopify/toxiproxy/v2/cmd/server', versionVariable: 'github.com/Shopify/toxiproxy/v2.Version', takes: 'ten seconds', instead: 'put toxiproxy-server 2.5 or later on the PATH' },
        surroundings,
      ),
  },
};

/** It has no proxies yet: `new Toxiproxy(server.address)` makes them. */
export function startToxiproxy(options: StartOptions): Promise<ServerProcess> {
  return startServer(options, async (ground) => {
    const address = `http://127.0.0.1:${ground.port}`;
    return {
      command: options.program.path,
      args: ['-host', '127.0.0.1', '-port', String(ground.port)],
      address,
      ports: [ground.port],
      answers: () => askHttp(`${address}/version`),
    };
  });
}
