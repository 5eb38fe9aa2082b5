import { RUN_STATUSES } from '@perdure/contract';
import type { BundleUse } from '@perdure/history';
import { texts } from '../pool/arrays.js';
import type { CockroachPool } from '../pool/cockroach-pool.js';
import type { Statement } from '../pool/statement.js';

/** `$1` shards, `$2` the tenant, `$3` all statuses: each step of it is a look at one end of an index. */
const usage = (used: string): string =>
  `select used.bundle,
     sum((select count(*) from runs where slice = used.slice and tenant = $2 and bundle = used.bundle and status in ('running', 'suspended')))::bigint as open,
     max((select max(newest.started_at) from unnest($3::text[]) as each (status) cross join lateral (
       select started_at from runs where slice = used.slice and tenant = $2 and bundle = used.bundle and status = each.status order by started_at desc limit 1
     ) as newest)) as newest
   from ${used} group by used.bundle`;

/** Goes from one bundle to the next, without a look at the runs between. */
const ALL: Statement = {
  name: 'view_bundle_use',
  text: `with recursive next (slice, bundle) as (
      select shard.slice, (select min(bundle) from runs where slice = shard.slice and tenant = $2) from unnest($1::text[]) as shard (slice)
      union all
      select next.slice, (select min(bundle) from runs where slice = next.slice and tenant = $2 and bundle > next.bundle) from next where next.bundle is not null
    ) ${usage('(select slice, bundle from next where bundle is not null) as used')}`,
};

const OF_ONE: Statement = { name: 'view_use_of_bundle', text: usage('(select slice, $4::text as bundle from unnest($1::text[]) as shard (slice)) as used') };

/** Of each bundle of the tenant that a run is on, or of one; a bundle that none is on is not among them. */
export async function bundleUse(pool: CockroachPool, shards: readonly string[], { tenant, hash }: { readonly tenant: string; readonly hash?: string }): Promise<readonly BundleUse[]> {
  const values = [texts(shards), tenant, texts(RUN_STATUSES)];
  const rows = hash === undefined ? await pool.read(ALL, values) : await pool.read(OF_ONE, [...values, hash]);
  return rows.filter(({ newest }) => newest !== null).map(({ bundle, open, newest }) => ({ bundle: bundle as string, open: open as number, newest: newest as number }));
}
