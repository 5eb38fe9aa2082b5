import { randomBytes } from 'node:crypto';
import { mkdir } from 'node:fs/promises';
import { join } from 'node:path';
import { askHttp } from '../process/probes.js';
import type { ServerProcess } from '../process/server-process.js';
import { startServer, type StartOptions } from '../process/start-server.js';
import { executables, withVersionFlag } from '../programs/candidates.js';
import { goTool } from '../programs/go-tool.js';
import type { ProgramRecipe } from '../programs/program.js';

const VERSION = '1.8.0';
const HEALTH = '/healthz';

/** S3 over a folder. */
export const versitygwProgram: ProgramRecipe = {
  name: 'versitygw',
  versionMin: [1, 8],
  candidates: (config) => executables('versitygw', config).map(withVersionFlag),
  fetched: {
    version: VERSION,
    fetch: (surroundings) =>
      goTool({ name: 'versitygw', version: VERSION, module: 'versitygw', package: 'github.com/versity/versitygw/cmd/versitygw', versionVariable: 'main.Version', takes: 'about a minute', instead: 'put versitygw 1.8 or later on the PATH' }, surroundings),
  },
};

/** Its address is a URL with the access key and its secret, `http://KEY:SECRET@127.0.0.1:…`; its region `us-east-1`. */
export function startVersitygw(options: StartOptions): Promise<ServerProcess> {
  return startServer(options, async (ground) => {
    const [key, secret] = [randomBytes(8).toString('hex'), randomBytes(16).toString('hex')];
    const listening = `127.0.0.1:${ground.port}`;
    const data = join(ground.folder, 'data');
    await mkdir(data, { recursive: true });
    return {
      command: options.program.path,
      args: ['--port', listening, '--region', 'us-east-1', '--health', HEALTH, '--quiet', 'posix', data],
      env: { ROOT_ACCESS_KEY: key, ROOT_SECRET_KEY: secret },
      address: `http://${key}:${secret}@${listening}`,
      ports: [ground.port],
      answers: () => askHttp(`http://${listening}${HEALTH}`),
    };
  });
}
