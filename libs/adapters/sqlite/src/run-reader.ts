import { AuditLog, type AuditEntry, type AuditPage } from '@perdure/compensation';
import { fromCursor, toCursor, type EventBody, type HistoryPage, type InputOutcome, type RunPage, type RunResult, type RunStatus, type RunView } from '@perdure/contract';
import { WaitReader, type WaitRow, type WaitView } from '@perdure/correlation';
import { toHistoryPage, toRunResult, toRunView, type BundleUse, type ListedTransition, type RunRow } from '@perdure/history';
import type { DatabaseSync, SQLInputValue, StatementSync } from 'node:sqlite';
import { attributeText, toRunRow, type RunRecord } from './run-record.js';

interface Ref {
  readonly tenant: string;
  readonly workflowId: string;
  readonly runId?: string;
}

export interface RunQuery {
  readonly status?: string;
  readonly workflowType?: string;
  readonly workflowId?: string;
  readonly attributes?: Readonly<Record<string, string | number | boolean>>;
  readonly limit: number;
  readonly cursor?: string;
}

export interface NumberedRun {
  readonly number: number;
  readonly run: RunView;
}

/** Asked at once after a start and again at its end, so of a run that is open the body is not even read. */
const RESULT = "run_id as runId, status, case when closed_at is not null then body -> '$.result' end as result";

/** What is committed in one shard's file, over a connection that can only read. */
export class SqliteRunReader {
  readonly #db: DatabaseSync;
  readonly #newest: StatementSync;
  readonly #byId: StatementSync;
  readonly #newestResult: StatementSync;
  readonly #resultById: StatementSync;
  readonly #last: StatementSync;
  readonly #transitions: StatementSync;
  readonly #input: StatementSync;

  constructor(db: DatabaseSync) {
    this.#db = db;
    this.#newest = db.prepare('select * from run where tenant = ? and workflow_id = ? order by number desc limit 1');
    this.#byId = db.prepare('select * from run where tenant = ? and workflow_id = ? and run_id = ?');
    this.#newestResult = db.prepare(`select ${RESULT} from run where tenant = ? and workflow_id = ? order by number desc limit 1`);
    this.#resultById = db.prepare(`select ${RESULT} from run where tenant = ? and workflow_id = ? and run_id = ?`);
    this.#last = db.prepare('select coalesce(max(last), 0) as last from transition where run = ?');
    this.#transitions = db.prepare('select last, at, hash, events from transition join bundle_name on bundle_name.id = bundle where run = ? and last > ? order by last limit ?');
    this.#input = db.prepare('select outcome from input where tenant = ? and workflow_id = ? and id = ?');
  }

  find(ref: Ref): RunView | undefined {
    const row = this.#row(ref);
    return row && toRunView(row, this.#lastOf(row.number));
  }

  result(ref: Ref): RunResult | undefined {
    const { tenant, workflowId, runId } = ref;
    const row = (runId === undefined ? this.#newestResult.get(tenant, workflowId) : this.#resultById.get(tenant, workflowId, runId)) as { runId: string; status: RunStatus; result: string | null } | undefined;
    return row && toRunResult({ ...row, result: row.result === null ? undefined : (JSON.parse(row.result) as RunResult) });
  }

  outcome({ tenant, workflowId, inputId }: { readonly tenant: string; readonly workflowId: string; readonly inputId: string }): InputOutcome | undefined {
    const row = this.#input.get(tenant, workflowId, inputId) as { outcome: string } | undefined;
    return row && (JSON.parse(row.outcome) as InputOutcome);
  }

  history(ref: Ref, { after, limit }: { readonly after: number; readonly limit: number }): HistoryPage | undefined {
    const row = this.#row(ref);
    if (!row) return undefined;
    return toHistoryPage(toRunView(row, this.#lastOf(row.number)), { after, limit, transitions: this.#listTransitions(row.number, { after, limit }) });
  }

  /** Newest first. */
  list(tenant: string, query: RunQuery): RunPage {
    const { cursor, ...rest } = query;
    const page = this.page(tenant, { ...rest, before: cursor === undefined ? undefined : fromCursor(cursor, 1)[0] });
    return { runs: page.runs.map(({ run }) => run), ...(page.isLast ? {} : { next: toCursor([page.runs.at(-1)!.number]) }) };
  }

  /** The same, with each run's number in its shard, which is its place in the list. */
  page(tenant: string, query: Omit<RunQuery, 'cursor'> & { readonly before: number | undefined }): { readonly runs: readonly NumberedRun[]; readonly isLast: boolean } {
    const where = ['tenant = ?'];
    const values: SQLInputValue[] = [tenant];
    const add = (text: string, ...more: SQLInputValue[]): void => {
      where.push(text);
      values.push(...more);
    };
    if (query.status !== undefined) add('status = ?', query.status);
    if (query.workflowType !== undefined) add('type = ?', query.workflowType);
    if (query.workflowId !== undefined) add('workflow_id = ?', query.workflowId);
    for (const [key, value] of Object.entries(query.attributes ?? {})) add('number in (select run from run_attribute where key = ? and value = ?)', key, attributeText(value));
    if (query.before !== undefined) add('number < ?', query.before);
    const records = this.#db.prepare(`select * from run where ${where.join(' and ')} order by number desc limit ?`).all(...values, query.limit + 1) as unknown as RunRecord[];
    const runs = records.slice(0, query.limit).map((record) => ({ number: record.number, run: toRunView(toRunRow(record), this.#lastOf(record.number)) }));
    return { runs, isLast: records.length <= query.limit };
  }

  /** Runs that are not closed, by bundle; and when the newest run of a bundle started. */
  bundleUse(tenant: string): BundleUse[] {
    return this.#db.prepare('select bundle, sum(closed_at is null) as open, max(started_at) as newest from run where tenant = ? group by bundle').all(tenant) as unknown as BundleUse[];
  }

  #row({ tenant, workflowId, runId }: Ref): RunRow | undefined {
    const record = (runId === undefined ? this.#newest.get(tenant, workflowId) : this.#byId.get(tenant, workflowId, runId)) as RunRecord | undefined;
    return record && toRunRow(record);
  }

  *#listTransitions(run: number, { after, limit }: { readonly after: number; readonly limit: number }): Generator<ListedTransition> {
    for (const { last, at, hash, events } of this.#transitions.iterate(run, after, limit) as Iterable<{ last: number; at: number; hash: string; events: string }>) {
      yield { last, at, bundle: hash, events: JSON.parse(events) as EventBody[] };
    }
  }

  #lastOf(run: number): number {
    return (this.#last.get(run) as { last: number }).last;
  }
}

export class SqliteWaitReader extends WaitReader {
  readonly #find: StatementSync;

  constructor(db: DatabaseSync) {
    super();
    this.#find = db.prepare('select body from wait where tenant = ? and workflow_id = ? order by ord');
  }

  override async ofWorkflow(tenant: string, workflowId: string): Promise<readonly WaitView[]> {
    const rows = this.#find.all(tenant, workflowId) as unknown as { body: string }[];
    return rows.flatMap(({ body }) => {
      const { run, seq, wait, openedAt, closed } = JSON.parse(body) as WaitRow;
      return closed ? [] : [{ run, seq, wait, openedAt }];
    });
  }
}

interface AuditFilter {
  readonly workflowId?: string;
  readonly cursor?: string;
  readonly limit: number;
}

export interface NumberedEntry {
  readonly number: number;
  readonly entry: AuditEntry;
}

export class SqliteAuditLog extends AuditLog {
  readonly #db: DatabaseSync;

  constructor(db: DatabaseSync) {
    super();
    this.#db = db;
  }

  override async list(tenant: string, filter: AuditFilter): Promise<AuditPage> {
    const { cursor, ...rest } = filter;
    const { entries, isLast } = this.page(tenant, { ...rest, after: cursor === undefined ? undefined : fromCursor(cursor, 1)[0] });
    return { entries: entries.map(({ entry }) => entry), ...(isLast ? {} : { next: toCursor([entries.at(-1)!.number]) }) };
  }

  /** The same, with each entry's place. */
  page(tenant: string, { workflowId, after = 0, limit }: Omit<AuditFilter, 'cursor'> & { readonly after: number | undefined }): { readonly entries: readonly NumberedEntry[]; readonly isLast: boolean } {
    const where = `tenant = ? and number > ? ${workflowId === undefined ? '' : 'and workflow_id = ?'}`;
    const values = [tenant, after, ...(workflowId === undefined ? [] : [workflowId])];
    const rows = this.#db.prepare(`select number, body from audit where ${where} order by number limit ?`).all(...values, limit + 1) as unknown as { number: number; body: string }[];
    const entries = rows.slice(0, limit).map(({ number, body }) => ({ number, entry: JSON.parse(body) as AuditEntry }));
    return { entries, isLast: rows.length <= limit };
  }
}
