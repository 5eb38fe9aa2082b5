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

const parseReplicas = (text: string, before: Replicas): Replicas => {
  const replicas: Record<string, number> = { ...before };
  for (const each of text.split(',')) {
    const [service = '', count = ''] = each.split('=');
    if (!isMeshService(service)) throw new InvalidArgumentError(`There is no service "${service}"; there are ${MESH_SERVICES.join(', ')}.`);
    if (!/^\d+$/.test(count) || Number(count) < 1 || Number(count) > NODES_MAX) throw new InvalidArgumentError(`${service}=N, N from 1 to ${NODES_MAX}.`);
    replicas[service] = Number(count);
  }
  return replicas as Replicas;
};

const SLICES_PER_NODE_MAX = 64;

const parseSlices = (text: string): number => {
  if (!/^\d+$/.test(text) || Number(text) < 1 || Number(text) > SLICES_PER_NODE_MAX) throw new InvalidArgumentError(`A number from 1 to ${SLICES_PER_NODE_MAX}.`);
  return Number(text);
};

const parsePort = (text: string): number => {
  const port = Number(text);
  if (!Number.isInteger(port) || port < 1 || port > 65_535) throw new InvalidArgumentError('A port is a number from 1 to 65535.');
  return port;
};

/** @throws CommanderError, which has been said already */
export const parseCommandLine = (args: readonly string[], root: string): CommandLine => {
  const program = new Command('npm run mesh --')
    .description('The whole mesh on this machine, with real servers: five services with their Dapr sidecars, Kafka, PostgreSQL, Redis and etcd.\nA server whose address is in PERDURE_ETCD, PERDURE_POSTGRES, PERDURE_KAFKA or PERDURE_REDIS is not started.')
    .addOption(new Option('--replicas <service=N,…>', 'nodes of a service').argParser(parseReplicas).default(ONE_OF_EACH, 'one of each'))
    .addOption(new Option('--slices-per-node <n>', 'of a new data folder: more than 1 leaves room for nodes to come').argParser(parseSlices).default(1))
    .addOption(new Option('--port <port>', 'of the public API').argParser(parsePort).default(8080))
    .option('--data <folder>', 'data, logs and secrets', resolve(root, 'data', 'mesh'))
    .option('--components <folder>', 'of Dapr\'s components', resolve(root, 'components', 'local'))
    .option('--quiet', 'no logs, only what is wrong')
    .exitOverride();
  const { data, components, ...others } = program.parse(args, { from: 'user' }).opts<CommandLine>();
  return { ...others, data: resolve(root, data), components: resolve(root, components) };
};
