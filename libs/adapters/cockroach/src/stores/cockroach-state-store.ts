import type { EventBody, InputOutcome, InputRef, Pin } from '@perdure/contract';
import type { SliceName } from '@perdure/delivery';
import { StateStore, type InputRow, type RunRef, type RunRow, type ShardHead, type SnapshotRow, type StoredTransition } from '@perdure/history';
import type { CockroachPool } from '../pool/cockroach-pool.js';
import type { Row, Statement } from '../pool/statement.js';
import { FIND_CLOSED, FIND_LONE_INPUTS, purgeInputsQueries, purgeRunsQueries, type LoneInput, type PurgedRun } from '../rows/purge-rows.js';
import { RUN_COLUMNS, toRunRow, type RunRecord } from '../rows/run-record.js';

const READ_HEAD: Statement = {
  name: 'read_shard_head',
  text: 'select coalesce(max(epoch), 0) as epoch, coalesce(max(cursor), 0) as cursor, (select coalesce(max(number), 0) from runs where runs.slice = $1) as last from slices where slices.slice = $1',
};
const FIND_NEWEST: Statement = { name: 'find_newest_run', text: `select ${RUN_COLUMNS} from runs where slice = $1 and tenant = $2 and workflow_id = $3 order by number desc limit 1` };
const FIND_RUN: Statement = { name: 'find_run', text: `select ${RUN_COLUMNS} from runs where slice = $1 and tenant = $2 and workflow_id = $3 and run_id = $4 order by number desc limit 1` };
const READ_TRANSITIONS: Statement = { name: 'read_transitions', text: 'select last_event, at_ms, bundle, input_id, digest, events from transitions where slice = $1 and run = $2 and last_event >= $3 order by last_event limit $4' };
const FIND_DIGEST: Statement = { name: 'find_digest', text: 'select digest from transitions where slice = $1 and run = $2 and last_event = $3' };
const FIND_INPUT: Statement = { name: 'find_input', text: 'select at_ms, run, content, outcome from inputs where slice = $1 and tenant = $2 and workflow_id = $3 and input_id = $4' };
const FIND_SNAPSHOT: Statement = { name: 'find_snapshot', text: 'select last_event, digest, pin, body from snapshots where slice = $1 and run = $2 and last_event > 0' };

/** A shard's history, as its owner reads it. */
export class CockroachStateStore extends StateStore {
  readonly #pool: CockroachPool;
  readonly #slice: SliceName;

  constructor(pool: CockroachPool, slice: SliceName) {
    super();
    this.#pool = pool;
    this.#slice = slice;
  }

  override async head(): Promise<ShardHead> {
    const [row] = await this.#pool.read(READ_HEAD, [this.#slice]);
    const { epoch, cursor, last } = row as { epoch: number; cursor: number; last: number };
    return { epoch, cursor, lastRunNumber: last };
  }

  override async findRun({ tenant, workflowId, runId }: RunRef): Promise<RunRow | undefined> {
    const values = [this.#slice, tenant, workflowId];
    const [row] = runId === undefined ? await this.#pool.read(FIND_NEWEST, values) : await this.#pool.read(FIND_RUN, [...values, runId]);
    return row && toRunRow(row as unknown as RunRecord);
  }

  override async transitions(run: number, { fromEvent, limit }: { readonly fromEvent: number; readonly limit: number }): Promise<readonly StoredTransition[]> {
    return (await this.#pool.read(READ_TRANSITIONS, [this.#slice, run, fromEvent, limit])).map(toTransition);
  }

  override async findInput({ tenant, workflowId, inputId }: InputRef): Promise<InputRow | undefined> {
    const [found] = await this.#pool.read(FIND_INPUT, [this.#slice, tenant, workflowId, inputId]);
    if (!found) return undefined;
    const { at_ms, run, content, outcome } = found as { at_ms: number; run: number | null; content: string; outcome: string };
    return { tenant, workflowId, inputId, at: at_ms, content, outcome: JSON.parse(outcome) as InputOutcome, ...(run === null ? {} : { run }) };
  }

  override async findSnapshot(run: number): Promise<SnapshotRow | undefined> {
    const [found] = await this.#pool.read(FIND_SNAPSHOT, [this.#slice, run]);
    if (!found) return undefined;
    const { last_event, digest, pin, body } = found as { last_event: number; digest: Uint8Array; pin: string; body: Uint8Array };
    return { run, last: last_event, digest, pin: JSON.parse(pin) as Pin, body };
  }

  override async findDigest(run: number, last: number): Promise<Uint8Array | undefined> {
    const [found] = await this.#pool.read(FIND_DIGEST, [this.#slice, run, last]);
    return found?.digest as Uint8Array | undefined;
  }

  override commit(): Promise<void> {
    throw new Error('history commits by its slice');
  }

  /** Not fenced: a run that has closed stays closed, whoever sees it. */
  override async purge({ closedBeforeMs, limit }: { readonly closedBeforeMs: number; readonly limit: number }): Promise<number> {
    const runs = (await this.#pool.read(FIND_CLOSED, [this.#slice, closedBeforeMs, limit])) as unknown as readonly PurgedRun[];
    if (runs.length > 0) await this.#pool.transaction(purgeRunsQueries(this.#slice, runs));
    if (runs.length === limit) return limit;
    const inputs = (await this.#pool.read(FIND_LONE_INPUTS, [this.#slice, closedBeforeMs, limit - runs.length])) as unknown as readonly LoneInput[];
    if (inputs.length > 0) await this.#pool.transaction(purgeInputsQueries(this.#slice, inputs));
    return runs.length + inputs.length;
  }
}

function toTransition(row: Row): StoredTransition {
  const { last_event, at_ms, bundle, input_id, digest, events } = row as { last_event: number; at_ms: number; bundle: string; input_id: string; digest: Uint8Array; events: string };
  const bodies = JSON.parse(events) as EventBody[];
  return { first: last_event - bodies.length + 1, at: at_ms, bundle, inputId: input_id, events: bodies, digest };
}
