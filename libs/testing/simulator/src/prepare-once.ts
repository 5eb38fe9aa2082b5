import type { DatabaseSync, StatementSync } from 'node:sqlite';

/**
 * A connection that prepares each statement when it is first needed, and once: simulated servers start so often, and live so shortly, that preparing what they
 * never use was most of what they did.
 */
export function prepareOnce(db: DatabaseSync): DatabaseSync {
  const prepare = db.prepare.bind(db);
  const prepared = new Map<string, LazyStatement>();
  db.prepare = (sql) => {
    let statement = prepared.get(sql);
    if (!statement) prepared.set(sql, (statement = new LazyStatement(() => prepare(sql))));
    return statement as unknown as StatementSync;
  };
  return db;
}

type Bound = Parameters<StatementSync['run']>;

class LazyStatement {
  readonly #prepare: () => StatementSync;
  #statement: StatementSync | undefined;

  constructor(prepare: () => StatementSync) {
    this.#prepare = prepare;
  }

  run(...parameters: Bound): ReturnType<StatementSync['run']> {
    return (this.#statement ??= this.#prepare()).run(...parameters);
  }
  get(...parameters: Bound): ReturnType<StatementSync['get']> {
    return (this.#statement ??= this.#prepare()).get(...parameters);
  }
  all(...parameters: Bound): ReturnType<StatementSync['all']> {
    return (this.#statement ??= this.#prepare()).all(...parameters);
  }
}
