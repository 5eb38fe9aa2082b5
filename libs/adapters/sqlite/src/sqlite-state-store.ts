import type { InputRef, RunKey } from '@perdure/contract';
import { StateStore, StoreFault, type HistoryCommit, type InputRow, type RunRef, type RunRow, type ShardHead, type SnapshotRow, type StoredTransition } from '@perdure/history';
import { HistoryRows } from './history-rows.js';
import type { ShardFile } from './shard-file.js';

/** History's tables in a shard's file. */
export class SqliteStateStore extends StateStore {
  readonly #file: ShardFile;
  readonly #rows: HistoryRows;
  readonly #purged: (run: RunKey) => void;

  /** `purged`: called inside a purge's transaction, so that what others keep of a run in this file goes with it. */
  constructor(file: ShardFile, purged: (run: RunKey) => void = () => undefined) {
    super();
    this.#file = file;
    this.#purged = purged;
    this.#rows = file.read(() => new HistoryRows(file.db));
  }

  override async head(): Promise<ShardHead> {
    const head = this.#file.read(() => this.#rows.head());
    if (head.epoch !== this.#file.epoch) throw new StoreFault('staleOwner', `shard ${this.#file.shard} has epoch ${head.epoch}, not ${this.#file.epoch}`);
    return head;
  }

  override async findRun(ref: RunRef): Promise<RunRow | undefined> {
    return this.#file.read(() => this.#rows.findRun(ref));
  }

  override async transitions(run: number, page: { readonly fromEvent: number; readonly limit: number }): Promise<readonly StoredTransition[]> {
    return this.#file.read(() => this.#rows.transitions(run, page.fromEvent, page.limit));
  }

  override async findInput(ref: InputRef): Promise<InputRow | undefined> {
    return this.#file.read(() => this.#rows.findInput(ref));
  }

  override async findSnapshot(run: number): Promise<SnapshotRow | undefined> {
    return this.#file.read(() => this.#rows.findSnapshot(run));
  }

  override async findDigest(run: number, last: number): Promise<Uint8Array | undefined> {
    return this.#file.read(() => this.#rows.findDigest(run, last));
  }

  override async commit(commit: HistoryCommit): Promise<void> {
    this.#file.transaction(() => this.write(commit));
  }

  /** Inside a transaction of the file: history's part of a batch over all slices. */
  write(commit: HistoryCommit): void {
    this.#rows.write(commit);
  }

  override async purge(bounds: { readonly closedBeforeMs: number; readonly limit: number }): Promise<number> {
    return this.#file.transaction(() => this.#rows.purge({ ...bounds, purged: this.#purged }));
  }
}
