import type { InputRef } from '@perdure/contract';
import type { HistoryCommit, InputRow, RunRef, RunRow, SnapshotRow, StoredTransition } from './history-rows.js';

/** Where a shard's history was left. */
export interface ShardHead {
  readonly epoch: number;
  readonly cursor: number;
  /** The highest `RunRow.number` given out. */
  readonly lastRunNumber: number;
}

/** History's tables of one shard, read and written by the shard's owner alone. Reads see what is committed. */
export abstract class StateStore {
  /** @throws StoreFault `staleOwner` when `epoch` is not the shard's */
  abstract head(): Promise<ShardHead>;
  /** The run, or the newest of the workflow id when `ref` has no `runId`. */
  abstract findRun(ref: RunRef): Promise<RunRow | undefined>;
  /** At most `limit` transitions whose last event is `fromEvent` or later, in order. */
  abstract transitions(run: number, page: { readonly fromEvent: number; readonly limit: number }): Promise<readonly StoredTransition[]>;
  abstract findInput(ref: InputRef): Promise<InputRow | undefined>;
  abstract findSnapshot(run: number): Promise<SnapshotRow | undefined>;
  /** The rolling hash of the run's history up to event `last`, if a transition ends there. */
  abstract findDigest(run: number, last: number): Promise<Uint8Array | undefined>;
  /** All or nothing. @throws StoreFault */
  abstract commit(commit: HistoryCommit): Promise<void>;
  /**
   * Removes at most `limit` runs that closed before `closedBeforeMs`, with all their rows; with the last run of a workflow id its
   * input ids as well, and input ids older than that which reached no run. Gives how many runs (or lone ids) went.
   */
  abstract purge(bounds: { readonly closedBeforeMs: number; readonly limit: number }): Promise<number>;
}
