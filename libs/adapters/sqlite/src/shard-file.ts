import type { DatabaseSync, StatementSync } from 'node:sqlite';
import type { Guards } from '@perdure/guards';
import { StoreFault } from '@perdure/history';
import type { CheckpointSignal } from './checkpoint-signal.js';
import { MEMORY, openDatabase } from './open-database.js';
import { SHARD_SCHEMA } from './shard-schema.js';
import { toStoreFault } from './sqlite-fault.js';

export interface ShardFileOptions {
  /** A path, or `:memory:`. */
  readonly path: string;
  readonly shard?: number;
  /** Of the data folder that the file belongs to, from 1 to 2^31 - 1: a file that has another one is not opened. A file that has none yet, a new one for instance, gets it. Absent: any will do. */
  readonly folderId?: number;
  readonly guards?: Guards;
  /** Gives an open connection, which `close` closes. Absent: `openShardDatabase`. */
  readonly connect?: () => DatabaseSync;
  /** A `Checkpointer` in another thread does the checkpoints. Absent: SQLite does them within commits. */
  readonly checkpoints?: CheckpointSignal | undefined;
}

/** When the other thread is behind or has ended, checkpoints are made within commits after all. */
const LOG_PAGES_MAX = 32_000;

export const openShardDatabase = (path: string, guards?: Guards): DatabaseSync => openDatabase(path, SHARD_SCHEMA, guards);

/**
 * One shard's file and its only writing connection.
 *
 * 1. Opening it takes the next epoch, durably, so that tokens of an earlier process can be told (I3, I8).
 * 2. A batch is one transaction over all slices (design §8): `transaction` is the only way to write.
 */
export class ShardFile {
  readonly path: string;
  readonly shard: number;
  readonly db: DatabaseSync;
  readonly epoch: number;
  readonly #begin: StatementSync;
  readonly #commit: StatementSync;
  readonly #rollback: StatementSync;
  readonly #checkpoints: CheckpointSignal | undefined;

  constructor({ path, shard = 0, folderId, guards, connect = () => openShardDatabase(path, guards), checkpoints }: ShardFileOptions) {
    this.path = path;
    this.shard = shard;
    this.#checkpoints = checkpoints;
    this.db = connect();
    if (checkpoints) this.db.exec(`pragma wal_autocheckpoint = ${LOG_PAGES_MAX}`);
    this.#begin = this.db.prepare('begin immediate');
    this.#commit = this.db.prepare('commit');
    this.#rollback = this.db.prepare('rollback');
    if (folderId !== undefined) this.#settleIn(folderId);
    this.epoch = this.transaction(() => this.#takeEpoch());
  }

  static inMemory(shard = 0): ShardFile {
    return new ShardFile({ path: MEMORY, shard });
  }

  /** All that `write` does is durable when this returns. @throws StoreFault, and then none of it is there (but see `commitUnknown`) */
  transaction<T>(write: () => T): T {
    if (this.#checkpoints?.takeNearlyDone()) this.#endCheckpoint();
    let committing = false;
    try {
      this.#begin.run();
      const result = write();
      committing = true;
      this.#commit.run();
      this.#checkpoints?.wrote();
      return result;
    } catch (error) {
      if (this.db.isTransaction) this.#rollback.run();
      throw toStoreFault(error, this.path, committing);
    }
  }

  /** A read, with SQLite's errors told apart. */
  read<T>(query: () => T): T {
    try {
      return query();
    } catch (error) {
      throw toStoreFault(error, this.path, false);
    }
  }

  get isOpen(): boolean {
    return this.db.isOpen;
  }

  close(): void {
    if (this.db.isOpen) this.db.close();
  }

  #endCheckpoint(): void {
    try {
      this.db.exec('pragma wal_checkpoint(passive)');
    } catch {
      // The log has it all, as before. What ails the disk shows in the next commit, or in the checkpointer's.
    }
  }

  /** SQLite's header has 32 bits for whoever uses it. */
  #settleIn(folderId: number): void {
    const { application_id: known } = this.db.prepare('pragma application_id').get() as { application_id: number };
    if (known === folderId) return;
    if (known !== 0) throw new StoreFault('unavailable', `${this.path}: the file is of another data folder`);
    this.transaction(() => this.db.exec(`pragma application_id = ${folderId}`));
  }

  #takeEpoch(): number {
    this.db.prepare('insert into shard values (1, ?, 0, 0) on conflict (id) do nothing').run(this.shard);
    const row = this.db.prepare('update shard set epoch = epoch + 1 where id = 1 and shard = ? returning epoch').get(this.shard) as { epoch: number } | undefined;
    if (!row) throw new Error(`${this.path} is not the file of shard ${this.shard}`);
    return row.epoch;
  }
}
