import { PerdureError } from '@perdure/contract';
import { SERVICES } from '@perdure/delivery';
import type { MeshConfig } from '../config.js';

/** Notes what nobody has noted before, and gives what is noted. */
export type Agree = (said: Readonly<Record<string, string>>) => Promise<ReadonlyMap<string, string>>;

const noteOf = (service: string): string => `slices of ${service}`;

/**
 * Sees that the tables are of this node's mesh, cut as it thinks. Kafka's topics say it of the services with logs alone; a node that took others' slices for its own, or sent to slices that
 * nobody has, would say nothing.
 * @throws PerdureError `invalid-request`
 */
export const requireSameMesh = async ({ prefix, counts }: Pick<MeshConfig, 'prefix' | 'counts'>, agree: Agree): Promise<void> => {
  const noted = await agree({ prefix, ...Object.fromEntries(SERVICES.map((service) => [noteOf(service), String(counts[service])])) });
  if (noted.get('prefix') !== prefix) throw new PerdureError('invalid-request', `environment: PERDURE_PREFIX: the tables in PERDURE_POSTGRES are of the mesh "${noted.get('prefix')}"; "${prefix}" needs a database of its own.`);
  const other = SERVICES.find((service) => noted.get(noteOf(service)) !== String(counts[service]));
  if (other) throw new PerdureError('invalid-request', `environment: PERDURE_SLICES: ${other} has ${noted.get(noteOf(other))} in this mesh, for as long as there is state, and not ${counts[other]}.`);
};
