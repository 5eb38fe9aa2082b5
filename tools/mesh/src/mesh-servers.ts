import { join } from 'node:path';
import { etcdProgram, kafkaProgram, obtain, postgresProgram, redisProgram, startEtcd, startKafka, startPostgres, startRedis, type Program, type ProgramRecipe, type ServerProcess, type StartOptions, type Surroundings } from '@perdure/servers';
import type { GivenServers } from './mesh-options.js';

export type ServerName = keyof GivenServers;

const RECIPES: Readonly<Record<ServerName, { readonly recipe: ProgramRecipe; readonly start: (options: StartOptions) => Promise<ServerProcess> }>> = {
  etcd: { recipe: etcdProgram, start: startEtcd },
  postgres: { recipe: postgresProgram, start: startPostgres },
  kafka: { recipe: kafkaProgram, start: startKafka },
  redis: { recipe: redisProgram, start: startRedis },
};

export interface MeshServers {
  readonly addresses: Readonly<Record<ServerName, string>>;
  /** Those that were started here. */
  readonly started: readonly ServerProcess[];
}

/** Programs are had one after the other, so that their progress can be read; then all start at once. When one does not, the others are ended. */
export const startServers = async (given: GivenServers, { folder, surroundings }: { readonly folder: string; readonly surroundings: Surroundings }): Promise<MeshServers> => {
  const names = (Object.keys(RECIPES) as ServerName[]).filter((name) => given[name] === undefined);
  const programs: { readonly name: ServerName; readonly program: Program }[] = [];
  for (const name of names) programs.push({ name, program: await obtain(RECIPES[name].recipe, surroundings) });
  const start = () => Promise.allSettled(programs.map(async ({ name, program }) => ({ name, process: await RECIPES[name].start({ program, folder: join(folder, name) }) })));
  const starting = names.length === 0 ? [] : await surroundings.progress.step(`starting ${names.join(', ')}`, start);
  const started = starting.flatMap((each) => (each.status === 'fulfilled' ? [each.value] : []));
  const failed = starting.find((each) => each.status === 'rejected');
  if (failed) {
    await Promise.all(started.map(({ process }) => process.stop()));
    throw failed.reason;
  }
  const addresses = { ...given, ...Object.fromEntries(started.map(({ name, process }) => [name, process.address])) } as Record<ServerName, string>;
  return { addresses, started: started.map(({ process }) => process) };
};
