import type { EventBody, HistoryPage, InputOutcome, InputRef, RunPage, RunResult, RunStatus, RunView } from '@perdure/contract';
import { toHistoryPage, toRunResult, toRunView, type BundleUse, type ListedTransition, type RunRef } from '@perdure/history';
import type { DecidedInput } from '@perdure/identity';
import type { RunFilter } from '@perdure/ingestion';
import type { CockroachPool } from '../pool/cockroach-pool.js';
import type { Row, Statement, Value } from '../pool/statement.js';
import { toRunRow, type RunRecord } from '../rows/run-record.js';
import { bundleUse } from './bundle-use.js';
import { EVENTS_OF, listRuns } from './run-list.js';
import { shardsOf, shardsThatMayHave, type ShardsOf } from './shards.js';

/** `$1`: shards that may have it. A run is on one of them; `$4`, if there is one, names it, else it is the workflow id's newest. */
const oneRun = (columns: string, byId: boolean): string =>
  `select ${columns} from unnest($1::text[]) as shard (slice)
   join runs on runs.slice = shard.slice and runs.tenant = $2 and runs.workflow_id = $3${byId ? ' and runs.run_id = $4' : ''}
   order by runs.number desc limit 1`;

const WHOLE = `runs.*, ${EVENTS_OF}`;
/** Asked at once after a start and again at its end: no more than it takes. */
const RESULT = 'runs.run_id, runs.status, runs.result';

const FIND_NEWEST: Statement = { name: 'view_newest_run', text: oneRun(WHOLE, false) };
const FIND_BY_ID: Statement = { name: 'view_run', text: oneRun(WHOLE, true) };
const RESULT_OF_NEWEST: Statement = { name: 'view_newest_result', text: oneRun(RESULT, false) };
const RESULT_BY_ID: Statement = { name: 'view_result', text: oneRun(RESULT, true) };
const OUTCOME: Statement = {
  name: 'view_outcome',
  text: `select inputs.outcome, inputs.content from unnest($1::text[]) as shard (slice)
    join inputs on inputs.slice = shard.slice and inputs.tenant = $2 and inputs.workflow_id = $3 and inputs.input_id = $4 limit 1`,
};
/** Those behind event `after` of the same run; its statement's parameters come first. */
const transitions = (byId: boolean): string =>
  `select last_event, at_ms, bundle, events from transitions
   join (${oneRun('runs.slice, runs.number', byId)}) as of on of.slice = transitions.slice and of.number = transitions.run
   where last_event > $${byId ? 5 : 4} order by last_event limit $${byId ? 6 : 5}`;
const TRANSITIONS_OF_NEWEST: Statement = { name: 'view_newest_transitions', text: transitions(false) };
const TRANSITIONS_BY_ID: Statement = { name: 'view_transitions', text: transitions(true) };

/**
 * What is committed of runs, read without asking their owners.
 *
 * @param map the shards, by which a run is found at once; without it each shard is looked through.
 */
export class CockroachRunReader {
  readonly #pool: CockroachPool;
  readonly #map: ShardsOf | undefined;

  constructor(pool: CockroachPool, map?: ShardsOf) {
    this.#pool = pool;
    this.#map = map;
  }

  async find(ref: RunRef): Promise<RunView | undefined> {
    const values = await this.#valuesOf(ref);
    const [record] = await this.#pool.read(ref.runId === undefined ? FIND_NEWEST : FIND_BY_ID, values);
    return record && toView(record);
  }

  async result(ref: RunRef): Promise<RunResult | undefined> {
    const values = await this.#valuesOf(ref);
    const [row] = (await this.#pool.read(ref.runId === undefined ? RESULT_OF_NEWEST : RESULT_BY_ID, values)) as readonly { run_id: string; status: RunStatus; result: string | null }[];
    return row && toRunResult({ runId: row.run_id, status: row.status, result: row.result === null ? undefined : (JSON.parse(row.result) as RunResult) });
  }

  async outcome(ref: InputRef): Promise<InputOutcome | undefined> {
    return (await this.decided(ref))?.outcome;
  }

  /** With the content of the input that came first under its id. */
  async decided(ref: InputRef): Promise<DecidedInput | undefined> {
    const [row] = await this.#pool.read(OUTCOME, [await shardsThatMayHave(this.#pool, this.#map, ref), ref.tenant, ref.workflowId, ref.inputId]);
    return row && { outcome: JSON.parse(row.outcome as string) as InputOutcome, content: row.content as string };
  }

  async history(ref: RunRef, { after, limit }: { readonly after: number; readonly limit: number }): Promise<HistoryPage | undefined> {
    const values = await this.#valuesOf(ref);
    const [find, transitionsOf] = ref.runId === undefined ? [FIND_NEWEST, TRANSITIONS_OF_NEWEST] : [FIND_BY_ID, TRANSITIONS_BY_ID];
    // As of one moment, or a page might end at what the run had before.
    const [records, rows] = await this.#pool.readAll([{ statement: find, values }, { statement: transitionsOf, values: [...values, after, limit] }]);
    const [record] = records!;
    return record && toHistoryPage(toView(record), { after, limit, transitions: rows!.map(toTransition) });
  }

  /** Newest first, by the time of their start. */
  async list(tenant: string, filter: RunFilter): Promise<RunPage> {
    return listRuns(this.#pool, await shardsOf(this.#pool, this.#map), { tenant, ...filter });
  }

  /** Runs that are not closed, by bundle; and when the newest run of a bundle started. Of all bundles that runs are on, or of one. */
  async bundleUse(tenant: string, hash?: string): Promise<readonly BundleUse[]> {
    return bundleUse(this.#pool, await shardsOf(this.#pool, this.#map), { tenant, ...(hash === undefined ? {} : { hash }) });
  }

  /** Of the statements that look for one run. */
  async #valuesOf({ tenant, workflowId, runId }: RunRef): Promise<readonly Value[]> {
    const shards = await shardsThatMayHave(this.#pool, this.#map, { tenant, workflowId });
    return [shards, tenant, workflowId, ...(runId === undefined ? [] : [runId])];
  }
}

const toView = (row: Row): RunView => toRunView(toRunRow(row as unknown as RunRecord), row.events as number);

const toTransition = ({ last_event, at_ms, bundle, events }: Row): ListedTransition => ({ last: last_event as number, at: at_ms as number, bundle: bundle as string, events: JSON.parse(events as string) as EventBody[] });
