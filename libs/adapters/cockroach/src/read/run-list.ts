import { fromCursor, toCursor, type RunPage } from '@perdure/contract';
import { toRunView } from '@perdure/history';
import type { RunFilter } from '@perdure/ingestion';
import { int8s, texts } from '../pool/arrays.js';
import type { CockroachPool } from '../pool/cockroach-pool.js';
import type { Query, Row, Statement, Value } from '../pool/statement.js';
import { attributeHashes, toRunRow, type RunRecord } from '../rows/run-record.js';

/** Number of a run's last event, which only its newest transition knows. */
export const EVENTS_OF = '(select coalesce(max(last_event), 0) from transitions where transitions.slice = runs.slice and transitions.run = runs.number) as events';

/** What a list may be asked for, in the order of the statement's parameters behind the first four. */
const CONDITIONS = {
  status: 'status = ',
  workflowType: 'type = ',
  workflowId: 'workflow_id = ',
  attributes: 'attributes @> ',
} as const;
type Condition = keyof typeof CONDITIONS;

const nameOf = (what: string, conditions: readonly Condition[]): string => [what, ...conditions].join('_').toLowerCase();
const where = (conditions: readonly Condition[], first: number): string => conditions.map((condition, index) => ` and ${CONDITIONS[condition]}$${first + index}`).join('');

/**
 * `$1` and `$2`: the shards, and below which number each goes on. Each shard's runs lie in the order of their numbers, and the lists are
 * merged by the time of the start. A run that started, by another clock, before the one that comes first in its shard takes that one's
 * time: only so does each list go on where it was left.
 */
const listing = (conditions: readonly Condition[]): Statement => ({
  name: nameOf('view_runs', conditions),
  text: `select runs.*, ${EVENTS_OF}, ranked.shard from (
      select place.slice, place.shard, head.number, min(head.started_at) over (partition by place.shard order by head.number desc) as rank
      from unnest($1::text[], $2::bigint[]) with ordinality as place (slice, below, shard)
      cross join lateral (
        select number, started_at from runs
        where slice = place.slice and tenant = $3 and number < place.below${where(conditions, 5)}
        order by number desc limit $4
      ) as head
      order by rank desc, place.shard, head.number desc limit $4
    ) as ranked
    join runs on runs.slice = ranked.slice and runs.number = ranked.number
    order by ranked.rank desc, ranked.shard, ranked.number desc`,
});

/** Above each shard's first: of one of which nothing is given yet, the next page has none that starts meanwhile. */
const beginnings = (conditions: readonly Condition[]): Statement => ({
  name: nameOf('view_first_runs', conditions),
  text: `select place.shard, 1 + coalesce((select number from runs where slice = place.slice and tenant = $2${where(conditions, 3)} order by number desc limit 1), 0) as below
    from unnest($1::text[]) with ordinality as place (slice, shard) order by place.shard`,
});

const statements = new Map<string, { readonly list: Statement; readonly begin: Statement }>();

/** For each choice of conditions. */
function statementsFor(conditions: readonly Condition[]): { readonly list: Statement; readonly begin: Statement } {
  const key = conditions.join();
  const known = statements.get(key) ?? { list: listing(conditions), begin: beginnings(conditions) };
  statements.set(key, known);
  return known;
}

export async function listRuns(pool: CockroachPool, shards: readonly string[], { tenant, cursor, limit, ...filter }: RunFilter & { readonly tenant: string }): Promise<RunPage> {
  const asked = Object.keys(CONDITIONS).filter((condition): condition is Condition => isAsked(filter[condition as Condition]));
  const { list, begin } = statementsFor(asked);
  const conditions = asked.map((condition) => valueOf(condition, filter, tenant));
  const places = cursor === undefined ? undefined : fromCursor(cursor, shards.length);
  const below = (places ?? shards.map(() => undefined)).map((place) => place ?? Number.MAX_SAFE_INTEGER);
  // One more than is given tells whether there are more.
  const listed: Query = { statement: list, values: [texts(shards), int8s(below), tenant, limit + 1, ...conditions] };
  const [rows, begun] = await pool.readAll([listed, ...(places ? [] : [{ statement: begin, values: [texts(shards), tenant, ...conditions] }])]);
  const next = places ? [...places] : begun!.map((row) => row.below as number);
  const given = rows!.slice(0, limit);
  for (const { shard, number } of given) next[(shard as number) - 1] = number as number;
  return { runs: given.map(toView), ...(rows!.length > limit ? { next: toCursor(next) } : {}) };
}

const isAsked = (value: RunFilter[Condition]): boolean => value !== undefined && (typeof value === 'string' || Object.keys(value).length > 0);

const valueOf = (condition: Condition, filter: Pick<RunFilter, Condition>, tenant: string): Value =>
  condition === 'attributes' ? texts(attributeHashes(tenant, filter.attributes) ?? []) : filter[condition]!;

const toView = (row: Row) => toRunView(toRunRow(row as unknown as RunRecord), row.events as number);
