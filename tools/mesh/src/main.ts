// npm run mesh: starts the whole mesh, shows where everything is, streams the logs, and ends all of it on Ctrl-C.
import { statSync } from 'node:fs';
import { CommanderError } from 'commander';
import { followLog, LineProgress, ServerError, serversConfig } from '@perdure/servers';
import { parseCommandLine } from './command-line.js';
import { healthTable } from './health-table.js';
import { LocalMesh } from './local-mesh.js';
import type { GivenServers } from './mesh-options.js';
import { untilTold } from './until-told.js';

const root = process.cwd();
const NAME_WIDTH = 22;
/** As a shell says it of a program that Ctrl-C has ended. */
const ENDED_EARLY = 130;

const givenIn = ({ PERDURE_ETCD: etcd, PERDURE_POSTGRES: postgres, PERDURE_KAFKA: kafka, PERDURE_REDIS: redis }: NodeJS.ProcessEnv): GivenServers => ({
  ...(etcd ? { etcd } : {}), ...(postgres ? { postgres } : {}), ...(kafka ? { kafka } : {}), ...(redis ? { redis } : {}),
});

const main = async (): Promise<number> => {
  const { data, port, components, replicas, slicesPerNode, quiet } = parseCommandLine(process.argv.slice(2), root);
  const progress = new LineProgress();
  const told = untilTold(process);
  const starting = LocalMesh.start({ root, folder: data, replicas, slicesPerNode, port, components, given: givenIn(process.env) }, { config: serversConfig(), progress });
  const mesh = await Promise.race([starting, told]);
  // It may be minutes until all of it is there. What is there ends with this process, as it would if this one were killed.
  if (!mesh) {
    console.error('perdure: told to end before the mesh was up; what was started ends');
    return ENDED_EARLY;
  }
  const followers = quiet ? [] : mesh.nodes.flatMap(({ app, sidecar }) => [app, sidecar]).map(({ name, logFile }) => followLog(logFile, (line) => console.log(`${name.padEnd(NAME_WIDTH)} ${line}`), statSync(logFile).size));
  try {
    await Promise.race([progress.step('waiting until every slice has its owner', () => mesh.ready()), told]);
    console.error(`${healthTable(mesh)}\n\nPerdure serves ${mesh.urls.join(', ')}; Ctrl-C ends everything.\n  npm run perdure -- --url ${mesh.urls[0]} list`);
    // What ends by itself is said; the others go on, as they would anywhere.
    let isEnding = false;
    for (const server of mesh.processes) {
      void server.exited.then(({ code, signal }) => {
        if (!isEnding) console.error(`perdure: ${server.name} has ended (${signal ?? `code ${code}`}); its log is ${server.logFile}`);
      });
    }
    await told;
    isEnding = true;
    return 0;
  } finally {
    for (const unfollow of followers) unfollow();
    await progress.step('ending what was started', () => mesh.stop());
  }
};

process.exitCode = await main().catch((error: unknown) => {
  if (error instanceof CommanderError) return error.exitCode;
  if (!(error instanceof ServerError)) throw error;
  if (error.tail) console.error(error.tail);
  console.error(`perdure: ${error.message}`);
  return 1;
});
process.exit();
