import { PerdureError } from '@perdure/contract';
import { DatabaseSync } from 'node:sqlite';
import { BUSY, sqliteCodeOf, toStoreFault } from './sqlite-fault.js';

/** One server per data folder: an exclusive lock of the operating system on a small file, which ends with the process that holds it. */
export class FolderLock {
  readonly #db: DatabaseSync;

  /** @throws PerdureError `unavailable` when another process holds the folder, StoreFault when it cannot be written */
  constructor(path: string, folder: string) {
    try {
      this.#db = new DatabaseSync(path, { timeout: 0 });
    } catch (error) {
      throw toStoreFault(error, path, false);
    }
    try {
      this.#db.exec('pragma locking_mode = exclusive; pragma journal_mode = delete; begin exclusive; create table if not exists holder (pid integer); delete from holder; commit;');
      this.#db.prepare('insert into holder values (?)').run(process.pid);
    } catch (error) {
      this.#db.close();
      if (sqliteCodeOf(error) !== BUSY) throw toStoreFault(error, path, false);
      throw new PerdureError('unavailable', `Another server has the data folder ${folder}: stop it, or name another folder.`, { cause: error, retryable: false });
    }
  }

  release(): void {
    if (this.#db.isOpen) this.#db.close();
  }
}
