import type { SliceMap, SliceName } from '@perdure/delivery';
import { texts } from '../pool/arrays.js';
import type { CockroachPool } from '../pool/cockroach-pool.js';
import type { Statement } from '../pool/statement.js';

/** Which shard has a workflow id, and which there are. */
export type ShardsOf = Pick<SliceMap, 'shardOf' | 'slices'>;

/** Every service's slices that have had an owner. */
const SLICES: Statement = { name: 'view_slices', text: 'select slice from slices where slice >= $1 and slice < $2' };

/** By number, not by letter: `history/10` comes after `history/9`. */
const byNumber = (a: string, b: string): number => a.length - b.length || (a < b ? -1 : 1);

/** `history/…`, in order: those that have had an owner, for no other holds anything. */
export async function slicesOf(pool: CockroachPool, service: 'history' | 'compensation'): Promise<readonly string[]> {
  // '0' follows '/'.
  const rows = await pool.read(SLICES, [`${service}/`, `${service}0`]);
  return rows.map(({ slice }) => slice as string).sort(byNumber);
}

/** The shards that may have a workflow id, as the parameter of a statement. Without a map that is each of them: right, and slower. */
export async function shardsThatMayHave(pool: CockroachPool, map: ShardsOf | undefined, { tenant, workflowId }: { readonly tenant: string; readonly workflowId: string }): Promise<Buffer> {
  return texts(map ? [map.shardOf(tenant, workflowId)] : await slicesOf(pool, 'history'));
}

/** All shards, in order. */
export const shardsOf = async (pool: CockroachPool, map: ShardsOf | undefined): Promise<readonly string[]> =>
  map ? map.slices.filter((slice): slice is SliceName => slice.startsWith('history/')).sort(byNumber) : slicesOf(pool, 'history');
