import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import type { RunFilter } from '@perdure/ingestion';
import { texts } from '../pool/arrays.js';
import type { CockroachPool } from '../pool/cockroach-pool.js';
import type { Query, Row, Value } from '../pool/statement.js';
import { attributeHash } from '../rows/run-record.js';
import { openTestDatabase, type TestDatabase } from '../testing/test-database.js';
import { CockroachRunReader } from './run-reader.js';

const SHARDS = ['history/0', 'history/1', 'history/2', 'history/3'];
const RUNS_PER_SHARD = 25_000;
const LIMIT = 20;
/** Rows that are looked at, of all tables: a page of each shard, what it shows of each run, and some to spare. */
const ROWS_MAX = 8 * SHARDS.length * (LIMIT + 1);

const hashOf = (city: string): string => attributeHash('t', 'city', city);

/** So the check of the statements leaves it out: CockroachDB has other words for it. */
const ABOUT_POSTGRES = '/* PostgreSQL alone */';

const TABLES = ['runs', 'run_attributes', 'transitions'];

/** One in a thousand has failed, is of a rare type and in a rare city; one in fifty runs on the older bundle. */
const FILL = `insert into runs (slice, number, slot, tenant, workflow_id, run_id, type, status, bundle, started_at, closed_at, attributes, result, body)
  select $1, n, 0, 't', 'w' || (n / 2), 'r' || n,
    case n % 1000 when 7 then 'rare' else 'order' end, case when n % 1000 = 7 then 'failed' when n % 10 = 0 then 'running' else 'completed' end, case n % 50 when 0 then 'old' else 'new' end,
    n, case when n % 10 <> 0 or n % 1000 = 7 then n end, string_to_array(case n % 1000 when 7 then $2 else $3 end, ','), null, '{"pin":{"bundle":"new","abi":1,"sandbox":"s"}}'
  from generate_series(1, ${RUNS_PER_SHARD}) as n`;
const FILL_ATTRIBUTES = 'insert into run_attributes (slice, attribute, number) select slice, unnest(attributes), number from runs';
const FILL_TRANSITIONS = `insert into transitions (slice, run, last_event, at_ms, bundle, input_id, digest, events) select slice, number, 3, 0, bundle, '', '', '[]' from runs`;

/** Statements as they would be sent. */
async function asked(ask: (reader: CockroachRunReader) => Promise<unknown>): Promise<readonly Query[]> {
  const queries: Query[] = [];
  const note = (more: readonly Query[]): readonly (readonly Row[])[] => {
    queries.push(...more);
    return more.map(() => []);
  };
  const pool = { read: async (statement: Query['statement'], values: readonly Value[]) => note([{ statement, values }])[0], readAll: async (more: readonly Query[]) => note(more) } as unknown as CockroachPool;
  await ask(new CockroachRunReader(pool, { slices: SHARDS as never, shardOf: () => 'history/1' }));
  return queries;
}

const HEADER_BYTES = 20;

/** A value as SQL writes it: an array is in its binary form by now (`arrays.ts`). */
function literal(value: Value): string {
  if (!Buffer.isBuffer(value)) return typeof value === 'number' ? String(value) : `'${value}'`;
  const isText = value.equals(texts([])) || value.readInt32BE(8) === texts(['x']).readInt32BE(8);
  const items: string[] = [];
  for (let at = HEADER_BYTES; at < value.length; at += 4 + value.readInt32BE(at)) items.push(isText ? `'${value.toString('utf8', at + 4, at + 4 + value.readInt32BE(at))}'` : String(value.readBigInt64BE(at + 4)));
  return `array[${items.join(', ')}]::${isText ? 'text' : 'bigint'}[]`;
}

interface Plan {
  readonly 'Node Type': string;
  readonly 'Relation Name'?: string;
  readonly 'Actual Rows': number;
  readonly 'Actual Loops': number;
  readonly 'Rows Removed by Filter'?: number;
  readonly Plans?: readonly Plan[];
}

const flat = (plan: Plan): Plan[] => [plan, ...(plan.Plans ?? []).flatMap(flat)];

describe('with a hundred thousand runs', () => {
  let database: TestDatabase;
  beforeAll(async () => {
    database = await openTestDatabase(process.env['PERDURE_TEST_POSTGRES']);
    await database.pool.session(async (ask) => {
      for (const table of TABLES) await ask(`${ABOUT_POSTGRES} alter table ${table} set (autovacuum_enabled = off)`);
      for (const slice of SHARDS) await ask(FILL, [slice, hashOf('Ulm'), hashOf('Bonn')]);
      for (const fill of [FILL_ATTRIBUTES, FILL_TRANSITIONS]) await ask(fill);
      // The plans are to be those of all rows, not of the sample that happened to be drawn, here or by the server itself.
      await ask(`${ABOUT_POSTGRES} set default_statistics_target = 10000`);
      for (const table of TABLES) await ask(`${ABOUT_POSTGRES} vacuum analyze ${table}`);
    });
  });
  afterAll(() => database.close());

  /** How the server goes about it, with the values at hand and, as after many executions, without. */
  async function scansOf({ statement: { text }, values }: Query): Promise<{ readonly how: string; readonly scans: readonly Plan[] }[]> {
    return database.pool.session(async (ask) => {
      await ask(`prepare it as ${text}`);
      const found = [];
      for (const how of ['force_custom_plan', 'force_generic_plan']) {
        await ask(`set plan_cache_mode = ${how}`);
        const [row] = await ask(`${ABOUT_POSTGRES} explain (analyze, format json) execute it (${values.map(literal).join(', ')})`);
        const [{ Plan: plan }] = row!['QUERY PLAN'] as [{ Plan: Plan }];
        found.push({ how, scans: flat(plan).filter((each) => each['Relation Name'] !== undefined) });
      }
      return found;
    });
  }

  async function expectIndexed(ask: (reader: CockroachRunReader) => Promise<unknown>, rowsMax = ROWS_MAX): Promise<void> {
    const queries = await asked(ask);
    expect(queries.length).toBeGreaterThan(0);
    for (const query of queries) {
      for (const { how, scans } of await scansOf(query)) {
        const whole = scans.filter((scan) => scan['Node Type'] === 'Seq Scan').map((scan) => scan['Relation Name']);
        const rows = scans.reduce((sum, scan) => sum + (scan['Actual Rows'] + (scan['Rows Removed by Filter'] ?? 0)) * scan['Actual Loops'], 0);
        expect({ name: query.statement.name, how, whole, isFew: rows <= rowsMax || rows }).toEqual({ name: query.statement.name, how, whole: [], isFew: true });
      }
    }
  }

  const filters: [string, Partial<RunFilter>][] = [
    ['of all', {}],
    ['that goes on in the middle', { cursor: '12000.12000.12000.12000' }],
    ['of what runs', { status: 'running' }],
    ['of what has failed, which is rare', { status: 'failed' }],
    ['of a rare type', { workflowType: 'rare' }],
    ['of a common type', { workflowType: 'order' }],
    ['of a rare attribute', { attributes: { city: 'Ulm' } }],
    ['of a common attribute', { attributes: { city: 'Bonn' } }],
    ['of a workflow id', { workflowId: 'w777' }],
    ['of a rare type and what has failed', { workflowType: 'rare', status: 'failed' }],
  ];
  it.each(filters)('a list %s looks at a few rows', async (_which, filter) => {
    await expectIndexed((reader) => reader.list('t', { limit: LIMIT, ...filter }));
  });

  it('one run, its result, its history and an input\'s outcome are looked up', async () => {
    const ref = { tenant: 't', workflowId: 'w777' };
    await expectIndexed(async (reader) => {
      for (const run of [ref, { ...ref, runId: 'r1555' }]) for (const ask of [reader.find(run), reader.result(run), reader.history(run, { after: 0, limit: LIMIT })]) await ask;
      await reader.outcome({ ...ref, inputId: 'start' });
    });
  });

  it('the use of bundles costs no more than their open runs', async () => {
    const open = (SHARDS.length * RUNS_PER_SHARD) / 10;
    await expectIndexed((reader) => reader.bundleUse('t'), open + ROWS_MAX);
    await expectIndexed((reader) => reader.bundleUse('t', 'old'), open / 5 + ROWS_MAX);
  });
});
