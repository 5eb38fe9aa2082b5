import { DatabaseSync, type StatementSync } from 'node:sqlite';
import type { CheckpointSignal } from './checkpoint-signal.js';
import { toStoreFault } from './sqlite-fault.js';

/** A log of so many pages (16 MB) is worth a checkpoint. */
export const CHECKPOINT_PAGES = 4_000;
/** So few pages the writer copies itself, within some milliseconds. */
const REST_PAGES_MAX = 256;
/** Each pass copies what was written during the one before; when the writer is as fast as they are, it goes on at the next look. */
const PASSES_MAX = 5;

interface Pages {
  readonly log: number;
  readonly checkpointed: number;
}

/**
 * Copies the pages of a shard's write-ahead log into its file, on a connection of its own, while another thread writes. A checkpoint of 16 MB takes 50 to 200 ms on a
 * disk that is not the quickest: by default SQLite does it within the commit that fills the log, and all runs of the shard wait for it.
 *
 * Only the writer can end a checkpoint, for the log begins anew only when all that is in it has been copied. So it is told when little is left, and does the rest.
 */
export class Checkpointer {
  readonly #path: string;
  readonly #signal: CheckpointSignal;
  readonly #db: DatabaseSync;
  readonly #look: StatementSync;
  readonly #copy: StatementSync;

  /** @throws StoreFault when the file cannot be opened */
  constructor({ path, signal }: { readonly path: string; readonly signal: CheckpointSignal }) {
    this.#path = path;
    this.#signal = signal;
    try {
      this.#db = new DatabaseSync(path, { timeout: 0 });
      this.#look = this.#db.prepare('pragma wal_checkpoint(noop)');
      this.#copy = this.#db.prepare('pragma wal_checkpoint(passive)');
    } catch (error) {
      throw toStoreFault(error, path, false);
    }
  }

  /** Does what is due, in the calling thread; gives whether the writer was told to end it. @throws StoreFault; then nothing is lost, for the log has it all */
  run(): boolean {
    try {
      if (pagesOf(this.#look).log < CHECKPOINT_PAGES) return false;
      for (let pass = 0; pass < PASSES_MAX; pass++) {
        const { checkpointed } = pagesOf(this.#copy);
        if (pagesOf(this.#look).log - checkpointed > REST_PAGES_MAX) continue;
        this.#signal.nearlyDone();
        return true;
      }
      return false;
    } catch (error) {
      throw toStoreFault(error, this.#path, false);
    }
  }

  close(): void {
    if (this.#db.isOpen) this.#db.close();
  }
}

const pagesOf = (statement: StatementSync): Pages => statement.get() as unknown as Pages;
