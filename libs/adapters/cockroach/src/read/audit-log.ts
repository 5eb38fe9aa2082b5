import { AuditLog, type AuditEntry, type AuditPage } from '@perdure/compensation';
import { fromCursor, toCursor } from '@perdure/contract';
import { int8s, texts } from '../pool/arrays.js';
import type { CockroachPool } from '../pool/cockroach-pool.js';
import type { Statement } from '../pool/statement.js';
import { slicesOf } from './shards.js';

/** As runs are listed (`run-list.ts`), with the oldest first. */
const listing = (name: string, condition: string): Statement => ({
  name,
  text: `select place.place, entry.number, entry.body from unnest($1::text[], $2::bigint[]) with ordinality as place (slice, above, place)
    cross join lateral (
      select number, body, max(at_ms) over (order by number) as rank from (
        select number, at_ms, body from audit where slice = place.slice and tenant = $3 and number > place.above${condition} order by number limit $4
      ) as first
    ) as entry
    order by entry.rank, place.place, entry.number limit $4`,
});

const ALL = listing('view_audit', '');
const OF_WORKFLOW = listing('view_audit_of_workflow', ' and workflow_id = $5');

export class CockroachAuditLog extends AuditLog {
  readonly #pool: CockroachPool;

  constructor(pool: CockroachPool) {
    super();
    this.#pool = pool;
  }

  /** Oldest first, by the time of the entries. */
  override async list(tenant: string, { workflowId, cursor, limit }: { readonly workflowId?: string; readonly cursor?: string; readonly limit: number }): Promise<AuditPage> {
    const slices = await slicesOf(this.#pool, 'compensation');
    const places = cursor === undefined ? slices.map(() => undefined) : [...fromCursor(cursor, slices.length)];
    const values = [texts(slices), int8s(places.map((place) => place ?? 0)), tenant, limit + 1];
    const rows = workflowId === undefined ? await this.#pool.read(ALL, values) : await this.#pool.read(OF_WORKFLOW, [...values, workflowId]);
    const given = rows.slice(0, limit);
    for (const { place, number } of given) places[(place as number) - 1] = number as number;
    return { entries: given.map(({ body }) => JSON.parse(body as string) as AuditEntry), ...(rows.length > limit ? { next: toCursor(places) } : {}) };
  }
}
