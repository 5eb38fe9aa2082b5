import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';

/** Not part of what a request may change: the shard's own bookkeeping, caches, and refusals, which are kept under their input's id. */
const ROWS: Readonly<Record<string, string>> = { shard: 'select shard, epoch from shard', snapshot: 'select 1 where 0', input: "select * from input where outcome not like '%\"refused\"%'" };

/** All that the server has on disk, table by table. */
export class Stored {
  readonly #files: readonly DatabaseSync[];

  constructor(folder: string) {
    this.#files = ['shard-0.db', 'meta.db'].map((name) => new DatabaseSync(join(folder, name), { readOnly: true }));
  }

  dump(): Record<string, unknown[]> {
    return Object.fromEntries(this.#files.flatMap((file) => tablesOf(file).map((table) => [table, file.prepare(ROWS[table] ?? `select * from "${table}"`).all()])));
  }

  close(): void {
    for (const file of this.#files) file.close();
  }
}

const tablesOf = (file: DatabaseSync): string[] => (file.prepare("select name from sqlite_master where type = 'table' order by name").all() as { name: string }[]).map(({ name }) => name);
