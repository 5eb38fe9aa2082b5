import type { RunRow } from '@perdure/history';
import { texts } from '../pool/arrays.js';
import type { Query, Statement } from '../pool/statement.js';

/** Fails, as what is no number would, by the name of a bundle that is not there: the batch is refused by its content. */
const BUNDLES_ARE_THERE: Statement = {
  name: 'bundles_are_there',
  text: `select case when count(*) = 0 then 0 else ('no bundle ' || min(pinned.hash) || ' is deployed')::bigint end as missing
    from unnest($1::text[], $2::text[]) as pinned (tenant, hash)
    where not exists (select 1 from bundles where bundles.tenant = pinned.tenant and bundles.hash = pinned.hash)`,
};

/**
 * No run is ever without its bundle. What its owner knew of the bundles when it let a run start, or go on with another one, may be old by
 * now; so the batch looks itself, in its transaction, and a retirement looks for runs in its own (`read/bundles.ts`). Of two that
 * happen at once each has read what the other writes, so serializability lets one of them commit: either the run is there and the
 * bundle stays, or the bundle has gone and the start is refused. Only rows of open runs ask, and steps write none.
 */
export function bundleGuard(runs: readonly RunRow[]): Query[] {
  const pins = new Map<string, readonly [tenant: string, hash: string]>();
  for (const { tenant, pin, closedAt } of runs) if (closedAt === undefined) pins.set(`${tenant}\u0000${pin.bundle}`, [tenant, pin.bundle]);
  if (pins.size === 0) return [];
  const all = [...pins.values()];
  return [{ statement: BUNDLES_ARE_THERE, values: [texts(all.map(([tenant]) => tenant)), texts(all.map(([, hash]) => hash))] }];
}
