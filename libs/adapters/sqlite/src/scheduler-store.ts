import type { TaskView } from '@perdure/contract';
import { TASKS_SHOWN_MAX, taskKeysOf, TaskReader, TaskStore, TimerStore, toTaskViews, type SchedulerChange, type TaskChange, type TaskRow, type TaskState, type TimerChange, type TimerRow } from '@perdure/scheduler';
import type { DatabaseSync, StatementSync } from 'node:sqlite';
import type { ShardFile } from './shard-file.js';

interface TaskRecord {
  key: string;
  ord: number;
  spec: string;
  state: string;
}

type TaskContent = Pick<TaskRecord, 'spec' | 'state'>;

const contentOf = ({ spec, state }: TaskContent): Pick<TaskRow, 'spec' | 'state'> => ({ spec: JSON.parse(spec) as TaskRow['spec'], state: JSON.parse(state) as TaskState });

class SqliteTaskStore extends TaskStore {
  readonly #file: ShardFile;
  readonly #write: (change: TaskChange) => void;

  constructor(file: ShardFile, write: (change: TaskChange) => void) {
    super();
    this.#file = file;
    this.#write = write;
  }

  override async load(): Promise<Iterable<TaskRow>> {
    const rows = this.#file.read(() => this.#file.db.prepare('select key, ord, spec, state from task order by ord').all()) as unknown as TaskRecord[];
    return rows.map((record) => ({ key: record.key, order: record.ord, ...contentOf(record) }));
  }

  override async commit(changes: readonly TaskChange[]): Promise<void> {
    this.#file.transaction(() => changes.forEach(this.#write));
  }
}

class SqliteTimerStore extends TimerStore {
  readonly #file: ShardFile;
  readonly #write: (change: TimerChange) => void;

  constructor(file: ShardFile, write: (change: TimerChange) => void) {
    super();
    this.#file = file;
    this.#write = write;
  }

  override async load(): Promise<Iterable<TimerRow>> {
    const rows = this.#file.read(() => this.#file.db.prepare('select key, due, body from timer').all()) as unknown as { key: string; due: number; body: string }[];
    return rows.map(({ key, due, body }) => ({ key, dueMs: due, ...(JSON.parse(body) as Pick<TimerRow, 'run' | 'seq'>) }));
  }

  override async commit(changes: readonly TimerChange[]): Promise<void> {
    this.#file.transaction(() => changes.forEach(this.#write));
  }
}

/** Over a connection that can only read. */
export class SqliteTaskReader extends TaskReader {
  readonly #find: StatementSync;

  constructor(db: DatabaseSync) {
    super();
    this.#find = db.prepare('select spec, state from task where key >= ? and key < ? limit ?');
  }

  override async ofWorkflow(tenant: string, workflowId: string): Promise<readonly TaskView[]> {
    const { from, before } = taskKeysOf(tenant, workflowId);
    const rows = this.#find.all(from, before, TASKS_SHOWN_MAX) as unknown as TaskContent[];
    return toTaskViews(rows.map(contentOf), workflowId);
  }
}

/** Tasks and timers in a shard's file. */
export class SqliteSchedulerStore {
  readonly tasks: TaskStore;
  readonly timers: TimerStore;
  readonly #putTask: StatementSync;
  readonly #updateTask: StatementSync;
  readonly #deleteTask: StatementSync;
  readonly #putTimer: StatementSync;
  readonly #deleteTimer: StatementSync;

  constructor(file: ShardFile) {
    const { db } = file;
    this.#putTask = db.prepare('insert into task values (?, ?, ?, ?)');
    this.#updateTask = db.prepare('update task set state = ? where key = ?');
    this.#deleteTask = db.prepare('delete from task where key = ?');
    this.#putTimer = db.prepare('insert into timer values (?, ?, ?) on conflict (key) do update set due = excluded.due, body = excluded.body');
    this.#deleteTimer = db.prepare('delete from timer where key = ?');
    this.tasks = new SqliteTaskStore(file, (change) => this.#writeOne(change));
    this.timers = new SqliteTimerStore(file, (change) => this.#writeOne(change));
  }

  /** Inside a transaction of the file. */
  write(changes: readonly SchedulerChange[]): void {
    for (const change of changes) this.#writeOne(change);
  }

  #writeOne(change: SchedulerChange): void {
    switch (change.kind) {
      case 'putTask':
        return void this.#putTask.run(change.row.key, change.row.order, JSON.stringify(change.row.spec), JSON.stringify(change.row.state));
      case 'updateTask':
        return void this.#updateTask.run(JSON.stringify(change.state), change.key);
      case 'deleteTask':
        return void this.#deleteTask.run(change.key);
      case 'putTimer': {
        const { key, dueMs, run, seq } = change.row;
        return void this.#putTimer.run(key, dueMs, JSON.stringify({ run, seq }));
      }
      case 'deleteTimer':
        return void this.#deleteTimer.run(change.key);
    }
  }
}
