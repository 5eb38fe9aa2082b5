import { resolve } from 'node:path';
import { Command, InvalidArgumentError, Option } from 'commander';
import { isMeshService, MESH_SERVICES, ONE_OF_EACH, type Replicas } from './mesh-options.js';

export interface CommandLine {
  readonly data: string;
  readonly port: number;
  readonly components: string;
  readonly replicas: Replicas;
  readonly slicesPerNode: number;
  readonly quiet?: boolean;
}

const NODES_MAX = 16;
const SLICES_PER_NODE_MAX = 64;
const PORT_MAX = 65_535;

/** At least 1. `what` says to the user which one it is. */
const wholeNumber = (text: string, { max, what }: { readonly max: number; readonly what: string }): number => {
  const number = /^\d+$/.test(text) ? Number(text) : 0;
  if (number < 1 || number > max) throw new InvalidArgumentError(`${what} from 1 to ${max}.`);
  return number;
};

const parseReplicas = (text: string, before: Replicas): Replicas => {
  const replicas: Record<string, number> = { ...before };
  for (const each of text.split(',')) {
    const [service = '', count = ''] = each.split('=');
    if (!isMeshService(service)) throw new InvalidArgumentError(`There is no service "${service}"; there are ${MESH_SERVICES.join(', ')}.`);
    replicas[service] = wholeNumber(count, { max: NODES_MAX, what: `${service}=N, N` });
  }
  return replicas as Replicas;
};


/** @throws CommanderError, which has been said already */
export const parseCommandLine = (args: readonly string[], root: string): CommandLine => {
  const program = new Command('npm run mesh --')
    .description('The whole mesh on this machine, with real servers: five services with their Dapr sidecars, Kafka, PostgreSQL, Redis and etcd.\nA server whose address is in PERDURE_ETCD, PERDURE_POSTGRES, PERDURE_KAFKA or PERDURE_REDIS is not started.')
    .addOption(new Option('--replicas <service=N,…>', 'nodes of a service').argParser(parseReplicas).default(ONE_OF_EACH, 'one of each'))
    .addOption(new Option('--slices-per-node <n>', 'of a new data folder: more than 1 leaves room for nodes to come').argParser((text) => wholeNumber(text, { max: SLICES_PER_NODE_MAX, what: 'A number' })).default(1))
    .addOption(new Option('--port <port>', 'of the public API').argParser((text) => wholeNumber(text, { max: PORT_MAX, what: 'A port is a number' })).default(8080))
    .option('--data <folder>', 'data, logs and secrets', resolve(root, 'data', 'mesh'))
    .option('--components <folder>', 'of Dapr\'s components', resolve(root, 'components', 'local'))
    .option('--quiet', 'no logs, only what is wrong')
    .exitOverride();
  const { data, components, ...others } = program.parse(args, { from: 'user' }).opts<CommandLine>();
  return { ...others, data: resolve(root, data), components: resolve(root, components) };
};
