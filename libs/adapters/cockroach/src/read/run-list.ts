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

interface Choice {
  readonly conditions: readonly Condition[];
  /** The parameter of the first of them. */
  readonly first: number;
  readonly below?: string;
}

/** The runs of the shard `place` that are asked for, newest first; `$2` is the tenant. Where attributes are asked for, one leads to its runs. */
function runsOf({ conditions, first, below }: Choice): string {
  const where = conditions.map((condition, index) => ` and ${CONDITIONS[condition]}$${first + index}`).join('');
  const further = below === undefined ? '' : ` and number < ${below}`;
  const attributes = conditions.indexOf('attributes');
  if (attributes < 0) return `select number, started_at from runs where slice = place.slice and tenant = $2${further}${where} order by number desc`;
  // `limit 1` keeps it at one look at a run for each that the attribute leads to.
  return `select led.number, one.started_at from run_attributes as led
    cross join lateral (select started_at from runs where slice = place.slice and number = led.number and tenant = $2${where} limit 1) as one
    where led.slice = place.slice and led.attribute = ($${first + attributes}::text[])[1]${further.replace('number', 'led.number')} order by led.number desc`;
}

/**
 * `$1` and `$3`: the shards, and below which number each goes on. Each shard's runs lie in the order of their numbers, and the lists are
 * merged by the time of the start. A run that started, by another clock, before the one that comes first in its shard takes that one's
 * time: only so does each list go on where it was left.
 */
const listing = (conditions: readonly Condition[]): Statement => ({
  name: nameOf('view_runs', conditions),
  text: `select runs.*, ${EVENTS_OF}, ranked.shard from (
      select place.slice, place.shard, head.number, min(head.started_at) over (partition by place.shard order by head.number desc) as rank
      from unnest($1::text[], $3::bigint[]) with ordinality as place (slice, below, shard)
      cross join lateral (${runsOf({ conditions, first: 5, below: 'place.below' })} limit $4) as head
      order by rank desc, place.shard, head.number desc limit $4
    ) as ranked
    join runs on runs.slice = ranked.slice and runs.number = ranked.number
    order by ranked.rank desc, ranked.shard, ranked.number desc`,
});

/** Above each shard's first: of one of which nothing is given yet, the next page has none that starts meanwhile. */
const beginnings = (conditions: readonly Condition[]): Statement => ({
  name: nameOf('view_first_runs', conditions),
  text: `select place.shard, 1 + coalesce((select newest.number from (${runsOf({ conditions, first: 3 })} limit 1) as newest), 0) as below
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
  const listed: Query = { statement: list, values: [texts(shards), tenant, int8s(below), limit + 1, ...conditions] };
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
