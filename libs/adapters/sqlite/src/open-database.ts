import { PerdureError } from '@perdure/contract';
import { ALL_GUARDS, type Guards } from '@perdure/guards';
import { DatabaseSync } from 'node:sqlite';
import { toStoreFault } from './sqlite-fault.js';
import { checkWal } from './wal-check.js';

/** Each migration raises the schema version by one; a released one never changes. */
export interface Schema {
  readonly name: string;
  readonly migrations: readonly string[];
}

export const MEMORY = ':memory:';

/** Opens, migrates forward and tunes one database file. @throws PerdureError when the file's schema is newer than this release's */
export function openDatabase(path: string, schema: Schema, guards: Guards = ALL_GUARDS): DatabaseSync {
  let db: DatabaseSync | undefined;
  try {
    checkWal(path);
    db = new DatabaseSync(path, { timeout: 5_000 });
    // FULL syncs the write-ahead log at each commit: an acknowledged batch survives a power cut (design §8).
    db.exec(`pragma synchronous = ${guards.has('fsync') ? 'full' : 'off'}`);
    db.exec('pragma journal_mode = wal; pragma wal_autocheckpoint = 4000; pragma temp_store = memory; pragma cache_size = -4096');
    migrate(db, path, schema);
    return db;
  } catch (error) {
    db?.close();
    throw toStoreFault(error, path, false);
  }
}

/** A second connection that sees what is committed and can change nothing. */
export function openReader(path: string): DatabaseSync {
  try {
    const db = new DatabaseSync(path, { readOnly: true, timeout: 5_000 });
    db.exec('pragma query_only = on; pragma cache_size = -16384');
    return db;
  } catch (error) {
    throw toStoreFault(error, path, false);
  }
}

function migrate(db: DatabaseSync, path: string, schema: Schema): void {
  const { user_version: version } = db.prepare('pragma user_version').get() as { user_version: number };
  const target = schema.migrations.length;
  if (version > target) {
    throw new PerdureError('unavailable', `${path} has ${schema.name} schema ${version}, this release knows up to ${target}: it was written by a newer release of Perdure`, { retryable: false });
  }
  for (let next = version; next < target; next++) {
    db.exec('begin exclusive');
    try {
      db.exec(schema.migrations[next]!);
      db.exec(`pragma user_version = ${next + 1}`);
      db.exec('commit');
    } catch (error) {
      db.exec('rollback');
      throw error;
    }
  }
}
