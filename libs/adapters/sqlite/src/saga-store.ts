import { SagaStore, type CompensationChange, type RollbackRow } from '@perdure/compensation';
import type { RunKey } from '@perdure/contract';
import type { StatementSync } from 'node:sqlite';
import type { ShardFile } from './shard-file.js';

/** Unfinished rollbacks and the audit log in a shard's file. */
export class SqliteSagaStore extends SagaStore {
  readonly #file: ShardFile;
  readonly #put: StatementSync;
  readonly #delete: StatementSync;
  readonly #audit: StatementSync;
  readonly #forget: StatementSync;

  constructor(file: ShardFile) {
    super();
    this.#file = file;
    const { db } = file;
    this.#put = db.prepare('insert into rollback values (?, ?, ?) on conflict (key) do update set body = excluded.body');
    this.#delete = db.prepare('delete from rollback where key = ?');
    this.#audit = db.prepare('insert into audit (id, tenant, workflow_id, body) values (?, ?, ?, ?) on conflict (id) do nothing');
    this.#forget = db.prepare("delete from audit where tenant = ? and workflow_id = ? and body ->> '$.run.runId' = ?");
  }

  override async load(): Promise<Iterable<RollbackRow>> {
    const rows = this.#file.read(() => this.#file.db.prepare('select body from rollback order by ord').all()) as unknown as { body: string }[];
    return rows.map(({ body }) => JSON.parse(body) as RollbackRow);
  }

  override async commit(changes: readonly CompensationChange[]): Promise<void> {
    this.#file.transaction(() => this.write(changes));
  }

  /** Inside a transaction of the file: the audit log of a run lasts as long as the run is kept. */
  forgetRun({ tenant, workflowId, runId }: RunKey): void {
    this.#forget.run(tenant, workflowId, runId);
  }

  /** Inside a transaction of the file. */
  write(changes: readonly CompensationChange[]): void {
    for (const change of changes) {
      if (change.kind === 'putRollback') this.#put.run(change.row.key, change.row.order, JSON.stringify(change.row));
      else if (change.kind === 'deleteRollback') this.#delete.run(change.key);
      else this.#audit.run(change.entry.id, change.entry.run.tenant, change.entry.run.workflowId, JSON.stringify(change.entry));
    }
  }
}
