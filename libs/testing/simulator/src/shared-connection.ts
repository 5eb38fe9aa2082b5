import type { DatabaseSync, StatementSync } from 'node:sqlite';

type Bound = Parameters<StatementSync['run']>;

/**
 * One connection to a database in memory, which one simulated process after the other has for its own. Simulated servers start so often, and live so shortly, that
 * opening the database and preparing statements was most of what they did: here both happen once.
 *
 * 1. A process that has closed its connection can do nothing by it, as with a real one.
 * 2. No transaction outlives the call that began it, so none is left open by a process that dies.
 */
export class SharedConnection {
  readonly db: DatabaseSync;
  readonly #prepared = new Map<string, StatementSync>();
  #lent: Lent[] = [];

  constructor(db: DatabaseSync) {
    this.db = db;
  }

  prepare(sql: string): StatementSync {
    let statement = this.#prepared.get(sql);
    if (!statement) this.#prepared.set(sql, (statement = this.db.prepare(sql)));
    return statement;
  }

  /** For one process: what of a database a shard's file uses. */
  lend(): DatabaseSync {
    const lent = new Lent(this);
    this.#lent.push(lent);
    return lent as unknown as DatabaseSync;
  }

  /** As new, for another world: nobody has it any more, and its tables are empty. */
  reset(): void {
    for (const lent of this.#lent) lent.close();
    this.#lent = [];
    const tables = this.prepare("select name from main.sqlite_master where type = 'table' order by name").all() as { name: string }[];
    for (const { name } of tables) this.prepare(`delete from main."${name}"`).run();
  }
}

class Lent implements Pick<DatabaseSync, 'exec' | 'isOpen' | 'isTransaction' | 'close'> {
  readonly #shared: SharedConnection;
  isOpen = true;

  constructor(shared: SharedConnection) {
    this.#shared = shared;
  }

  get isTransaction(): boolean {
    return this.#shared.db.isTransaction;
  }

  get(sql: string): StatementSync {
    if (!this.isOpen) throw new Error('database is not open');
    return this.#shared.prepare(sql);
  }

  prepare(sql: string): LazyStatement {
    return new LazyStatement(this, sql);
  }

  exec(sql: string): void {
    if (!this.isOpen) throw new Error('database is not open');
    this.#shared.db.exec(sql);
  }

  close(): void {
    this.isOpen = false;
  }
}

/** Prepared when it is first needed: most are not, in so short a life. */
class LazyStatement {
  readonly #lent: Lent;
  readonly #sql: string;

  constructor(lent: Lent, sql: string) {
    this.#lent = lent;
    this.#sql = sql;
  }

  run(...parameters: Bound): ReturnType<StatementSync['run']> {
    return this.#lent.get(this.#sql).run(...parameters);
  }
  get(...parameters: Bound): ReturnType<StatementSync['get']> {
    return this.#lent.get(this.#sql).get(...parameters);
  }
  all(...parameters: Bound): ReturnType<StatementSync['all']> {
    return this.#lent.get(this.#sql).all(...parameters);
  }
}
