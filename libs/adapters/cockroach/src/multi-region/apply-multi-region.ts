import { PerdureError } from '@perdure/contract';
import type { CockroachPool } from '../pool/cockroach-pool.js';
import { multiRegionStatements, type MultiRegion } from './multi-region-statements.js';

const PRODUCT = /^\S+( \S+)?/;

/**
 * Spreads the tables, which `migrate` has made, over regions. May be called again, as after a release that brought tables.
 * @throws PerdureError where the server is not CockroachDB, before anything is changed
 */
export async function applyMultiRegion(pool: CockroachPool, regions: MultiRegion): Promise<void> {
  await pool.session(async (ask) => {
    const [server] = await ask('select version() as version, current_database() as name');
    const { version, name } = server as { version: string; name: string };
    if (!version.startsWith('CockroachDB')) throw new PerdureError('internal', `Regions are CockroachDB's: this server is ${PRODUCT.exec(version)?.[0] ?? 'another'}, and nothing was changed.`);
    for (const statement of multiRegionStatements(name, regions)) await ask(statement);
  });
}
