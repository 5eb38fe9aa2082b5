import { join } from 'node:path';
import type { ServerProcess } from './process/server-process.js';
import type { StartOptions } from './process/start-server.js';
import { obtain } from './programs/obtain.js';
import type { Program, ProgramRecipe, Surroundings } from './programs/program.js';
import { cockroachParserProgram } from './servers/cockroach-parser.js';
import { daprdProgram } from './servers/daprd.js';
import { etcdProgram, startEtcd } from './servers/etcd.js';
import { kafkaProgram, startKafka } from './servers/kafka.js';
import { postgresProgram, startPostgres } from './servers/postgres.js';
import { redisProgram, startRedis } from './servers/redis.js';
import { toxiproxyProgram } from './servers/toxiproxy.js';
import { startVersitygw, versitygwProgram } from './servers/versitygw.js';

interface RingServer {
  /** What a spec reads its address from. Where the user has set it, that server is used. */
  readonly variable: string;
  readonly recipe: ProgramRecipe;
  readonly start: (options: StartOptions) => Promise<ServerProcess>;
}

const SERVERS: readonly RingServer[] = [
  { variable: 'PERDURE_TEST_ETCD', recipe: etcdProgram, start: startEtcd },
  { variable: 'PERDURE_TEST_REDIS', recipe: redisProgram, start: startRedis },
  { variable: 'PERDURE_TEST_POSTGRES', recipe: postgresProgram, start: startPostgres },
  { variable: 'PERDURE_TEST_KAFKA', recipe: kafkaProgram, start: startKafka },
  { variable: 'PERDURE_TEST_S3', recipe: versitygwProgram, start: startVersitygw },
];

/** CockroachDB's own parser, which the statements of the specs are checked by. */
export const PARSER = 'PERDURE_TEST_COCKROACH_PARSER';
/** The file in which they are noted. */
export const STATEMENTS = 'PERDURE_TEST_STATEMENTS';

/** Programs that specs run themselves, by the variable that has the path. */
const PROGRAMS: Readonly<Record<string, ProgramRecipe>> = {
  PERDURE_TEST_DAPRD: daprdProgram,
  [PARSER]: cockroachParserProgram,
  PERDURE_TEST_TOXIPROXY: toxiproxyProgram,
};

export interface RingServers {
  /** What the specs find in their environment. */
  readonly variables: Readonly<Record<string, string>>;
  stop(): Promise<void>;
}

/** The servers that every mesh spec shares, each started once. Programs are had one after the other, so that their progress can be read. */
export async function startRingServers(given: NodeJS.ProcessEnv, surroundings: Surroundings): Promise<RingServers> {
  const missing = SERVERS.filter(({ variable }) => !given[variable]);
  const programs = new Map<RingServer, Program>();
  for (const server of missing) programs.set(server, await obtain(server.recipe, surroundings));
  const paths: Record<string, string> = {};
  for (const [variable, recipe] of Object.entries(PROGRAMS)) paths[variable] = given[variable] || (await obtain(recipe, surroundings)).path;

  const starting = await Promise.allSettled([...programs].map(async ([server, program]) => ({ server, process: await server.start({ program }) })));
  const started = starting.flatMap((each) => (each.status === 'fulfilled' ? [each.value] : []));
  const stop = async (): Promise<void> => {
    await Promise.all(started.map(({ process }) => process.stop()));
  };
  const failed = starting.find((each) => each.status === 'rejected');
  if (failed) {
    await stop();
    throw failed.reason;
  }
  return { variables: { ...paths, ...Object.fromEntries(started.map(({ server, process }) => [server.variable, process.address])) }, stop };
}

export const JEST_CONFIG = 'jest.mesh.config.js';

/** The arguments of Node that run jest over the mesh specs. */
export const jestArguments = (root: string, reportFile: string, others: readonly string[]): string[] => [
  ...['--experimental-vm-modules', '--disable-warning=ExperimentalWarning', join(root, 'node_modules', 'jest', 'bin', 'jest.js')],
  ...['--setupFiles', join(root, 'tools', 'servers', 'src', 'testing/record-statements.ts')],
  ...['--config', join(root, JEST_CONFIG), '--json', '--outputFile', reportFile, ...others],
];
