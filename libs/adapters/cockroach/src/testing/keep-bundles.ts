import { texts } from '../pool/arrays.js';
import type { CockroachPool } from '../pool/cockroach-pool.js';

const PUT = {
  name: 'keep_test_bundles',
  text: `insert into bundles (tenant, hash, name, code, workflows, bytes, created_at) select tenant, hash, hash, '', '[]', 0, 0
    from unnest($1::text[]) as kept (tenant) cross join unnest($2::text[]) as named (hash) on conflict (tenant, hash) do nothing`,
};

/** Bundles for runs that a test makes up: no run is committed without its own. */
export async function keepBundles(pool: CockroachPool, { tenants, hashes }: { readonly tenants: readonly string[]; readonly hashes: readonly string[] }): Promise<void> {
  await pool.write(PUT, [texts(tenants), texts(hashes)]);
}
