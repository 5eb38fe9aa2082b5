import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { ServerError } from '@perdure/servers';
import { MESH_SERVICES, type MeshService, type Replicas } from './mesh-options.js';

type SlicedService = Exclude<MeshService, 'ingestion'>;
type Slices = Readonly<Record<SlicedService, number>>;

const SLICED = MESH_SERVICES.filter((service): service is SlicedService => service !== 'ingestion');

/**
 * How many slices each service has, as `PERDURE_SLICES` says it. The first start with a data folder decides; they are for ever as many. Each slice commits by itself,
 * so on one machine fewer do more, and a node more than there are slices does nothing.
 * @throws ServerError when there are more nodes than slices
 */
export const slicesOf = (folder: string, { replicas, perNode }: { readonly replicas: Replicas; readonly perNode: number }): string => {
  const path = join(folder, 'slices.json');
  if (!existsSync(path)) writeFileSync(path, JSON.stringify(Object.fromEntries(SLICED.map((service) => [service, replicas[service] * perNode]))));
  const slices = JSON.parse(readFileSync(path, 'utf8')) as Slices;
  for (const service of SLICED) {
    if (replicas[service] > slices[service]) throw new ServerError(`${service} has ${slices[service]} ${slices[service] === 1 ? 'slice' : 'slices'} in this data folder, so a node more would have nothing to do: give fewer nodes, or another --data folder.`);
  }
  return SLICED.map((service) => `${service}=${slices[service]}`).join(',');
};
