import type { EventBody, InputOutcome, InputRef, Pin, RunKey } from '@perdure/contract';
import { StoreFault, type HistoryCommit, type InputRow, type RunRef, type RunRow, type ShardHead, type SnapshotRow, type StoredTransition, type TransitionRow } from '@perdure/history';
import type { DatabaseSync, StatementSync } from 'node:sqlite';
import { attributePairs, toRunRow, type RunRecord } from './run-record.js';

interface TransitionRecord {
  last: number;
  at: number;
  hash: string;
  input_id: string;
  digest: Uint8Array;
  events: string;
}

/** The statements of history's tables, prepared once; synchronous, to be called inside a transaction of the file. */
export class HistoryRows {
  readonly #head: StatementSync;
  readonly #moveCursor: StatementSync;
  readonly #insertRun: StatementSync;
  readonly #updateRun: StatementSync;
  readonly #deleteAttributes: StatementSync;
  readonly #insertAttribute: StatementSync;
  readonly #insertTransition: StatementSync;
  readonly #putInput: StatementSync;
  readonly #putSnapshot: StatementSync;
  readonly #deleteSnapshot: StatementSync;
  readonly #newestRun: StatementSync;
  readonly #runById: StatementSync;
  readonly #transitions: StatementSync;
  readonly #findInput: StatementSync;
  readonly #findSnapshot: StatementSync;
  readonly #findDigest: StatementSync;
  readonly #bundleId: StatementSync;
  readonly #insertBundle: StatementSync;
  readonly #db: DatabaseSync;
  /** Few and for ever, so kept without bound but for the number of bundles deployed. Cleared when a write fails, for an insert may have been rolled back. */
  readonly #bundles = new Map<string, number>();

  constructor(db: DatabaseSync) {
    this.#db = db;
    this.#head = db.prepare('select epoch, cursor, (select coalesce(max(number), 0) from run) as lastRunNumber from shard where id = 1');
    this.#moveCursor = db.prepare('update shard set cursor = ? where id = 1 and shard = ? and epoch = ? and cursor = ?');
    this.#insertRun = db.prepare('insert into run values (?, ?, ?, ?, ?, ?, ?, ?, ?, ?) on conflict (number) do nothing');
    this.#updateRun = db.prepare('update run set status = ?, bundle = ?, closed_at = ?, body = ? where number = ?');
    this.#deleteAttributes = db.prepare('delete from run_attribute where run = ?');
    this.#insertAttribute = db.prepare('insert into run_attribute values (?, ?, ?) on conflict do nothing');
    this.#insertTransition = db.prepare('insert into transition (run, last, at, bundle, input_id, digest, events) values (?, ?, ?, ?, ?, ?, ?)');
    this.#putInput = db.prepare('insert into input values (?, ?, ?, ?, ?, ?, ?) on conflict (tenant, workflow_id, id) do update set run = excluded.run, outcome = excluded.outcome');
    this.#putSnapshot = db.prepare('insert into snapshot values (?, ?, ?, ?, ?) on conflict (run) do update set last = excluded.last, digest = excluded.digest, pin = excluded.pin, body = excluded.body');
    this.#deleteSnapshot = db.prepare('delete from snapshot where run = ?');
    this.#newestRun = db.prepare('select * from run where tenant = ? and workflow_id = ? order by number desc limit 1');
    this.#runById = db.prepare('select * from run where tenant = ? and workflow_id = ? and run_id = ? order by number desc limit 1');
    this.#transitions = db.prepare('select last, at, hash, input_id, digest, events from transition join bundle_name on bundle_name.id = bundle where run = ? and last >= ? order by last limit ?');
    this.#findInput = db.prepare('select * from input where tenant = ? and workflow_id = ? and id = ?');
    this.#findSnapshot = db.prepare('select * from snapshot where run = ?');
    this.#findDigest = db.prepare('select digest from transition where run = ? and last = ?');
    this.#bundleId = db.prepare('select id from bundle_name where hash = ?');
    this.#insertBundle = db.prepare('insert into bundle_name (hash) values (?) returning id');
  }

  head(): ShardHead {
    return { ...(this.#head.get() as unknown as ShardHead) };
  }

  write(commit: HistoryCommit): void {
    try {
      this.#move(commit);
      for (const row of commit.runs) this.#putRun(row);
      for (const row of commit.transitions) this.#putTransition(row);
      for (const { tenant, workflowId, inputId, at, run, content, outcome } of commit.inputs) {
        this.#putInput.run(tenant, workflowId, inputId, at, run ?? null, content, JSON.stringify(outcome));
      }
      for (const run of commit.snapshotsDropped) this.#deleteSnapshot.run(run);
      for (const { run, last, digest, pin, body } of commit.snapshots) this.#putSnapshot.run(run, last, digest, JSON.stringify(pin), body);
    } catch (error) {
      this.#bundles.clear();
      throw error;
    }
  }

  findRun({ tenant, workflowId, runId }: RunRef): RunRow | undefined {
    const record = runId === undefined ? this.#newestRun.get(tenant, workflowId) : this.#runById.get(tenant, workflowId, runId);
    return record && toRunRow(record as unknown as RunRecord);
  }

  transitions(run: number, fromEvent: number, limit: number): StoredTransition[] {
    return (this.#transitions.all(run, fromEvent, limit) as unknown as TransitionRecord[]).map(toTransition);
  }

  findInput({ tenant, workflowId, inputId }: InputRef): InputRow | undefined {
    const found = this.#findInput.get(tenant, workflowId, inputId) as { at: number; run: number | null; content: string; outcome: string } | undefined;
    if (!found) return undefined;
    const { at, run, content, outcome } = found;
    return { tenant, workflowId, inputId, at, content, outcome: JSON.parse(outcome) as InputOutcome, ...(run !== null && { run }) };
  }

  findSnapshot(run: number): SnapshotRow | undefined {
    const found = this.#findSnapshot.get(run) as { last: number; digest: Uint8Array; pin: string; body: Uint8Array } | undefined;
    return found && { run, last: found.last, digest: found.digest, pin: JSON.parse(found.pin) as Pin, body: found.body };
  }

  findDigest(run: number, last: number): Uint8Array | undefined {
    return (this.#findDigest.get(run, last) as { digest: Uint8Array } | undefined)?.digest;
  }

  /** `purged` is told of each run, inside the transaction. */
  purge({ closedBeforeMs, limit, purged }: { readonly closedBeforeMs: number; readonly limit: number; readonly purged: (run: RunKey) => void }): number {
    const db = this.#db;
    const runs = db.prepare('select number, tenant, workflow_id, run_id from run where closed_at < ? order by closed_at limit ?').all(closedBeforeMs, limit) as unknown as { number: number; tenant: string; workflow_id: string; run_id: string }[];
    for (const { number, tenant, workflow_id, run_id } of runs) {
      for (const table of ['transition', 'snapshot', 'run_attribute']) db.prepare(`delete from ${table} where run = ?`).run(number);
      db.prepare('delete from run where number = ?').run(number);
      purged({ tenant, workflowId: workflow_id, runId: run_id });
      if (!this.#newestRun.get(tenant, workflow_id)) db.prepare('delete from input where tenant = ? and workflow_id = ?').run(tenant, workflow_id);
    }
    if (runs.length === limit) return limit;
    const lone = db.prepare('select tenant, workflow_id, id from input where run is null and at < ? limit ?').all(closedBeforeMs, limit - runs.length) as unknown as { tenant: string; workflow_id: string; id: string }[];
    const deleteInput = db.prepare('delete from input where tenant = ? and workflow_id = ? and id = ?');
    for (const { tenant, workflow_id, id } of lone) deleteInput.run(tenant, workflow_id, id);
    return runs.length + lone.length;
  }

  #move({ shard, epoch, cursor }: HistoryCommit): void {
    // I3: both must be what the owner believes, or nothing of the batch is written.
    if (this.#moveCursor.run(cursor.to, shard, epoch, cursor.from).changes !== 1) {
      const head = this.head();
      throw new StoreFault('staleOwner', `shard ${shard} is at epoch ${head.epoch}, cursor ${head.cursor}; the batch was made at epoch ${epoch}, cursor ${cursor.from}`);
    }
  }

  #putRun(row: RunRow): void {
    const { number, tenant, workflowId, runId, workflowType, status, pin, startedAt, closedAt, ...rest } = row;
    const body = JSON.stringify({ ...rest, pin });
    const inserted = this.#insertRun.run(number, tenant, workflowId, runId, workflowType, status, pin.bundle, startedAt, closedAt ?? null, body).changes === 1;
    if (!inserted) {
      this.#updateRun.run(status, pin.bundle, closedAt ?? null, body, number);
      this.#deleteAttributes.run(number);
    }
    for (const [key, value] of attributePairs(row.searchAttributes)) this.#insertAttribute.run(number, key, value);
  }

  #putTransition({ run, last, at, bundle, inputId, digest, events }: TransitionRow): void {
    this.#insertTransition.run(run, last, at, this.#bundleOf(bundle), inputId, digest, events);
  }

  #bundleOf(hash: string): number {
    const known = this.#bundles.get(hash);
    if (known !== undefined) return known;
    const found = (this.#bundleId.get(hash) ?? this.#insertBundle.get(hash)) as { id: number };
    this.#bundles.set(hash, found.id);
    return found.id;
  }
}

export function toTransition({ last, at, hash, input_id, digest, events }: TransitionRecord): StoredTransition {
  const bodies = JSON.parse(events) as EventBody[];
  return { first: last - bodies.length + 1, at, bundle: hash, inputId: input_id, events: bodies, digest };
}
