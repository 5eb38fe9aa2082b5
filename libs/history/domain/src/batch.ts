import { inputKeyOf, type EventBody, type RunKey, type RunResult, type SuspendReason } from '@perdure/contract';
import type { CachedRun } from './cached-run.js';
import type { Decided } from './processor-options.js';
import type { HistoryCommit, InputRow, RunRow, SnapshotRow, StoredTransition, TransitionRow } from './ports/history-rows.js';

/** All that one batch has changed, and whom to tell once it is durable. */
export class Batch {
  readonly number: number;
  readonly from: number;
  to: number;
  readonly touched = new Set<CachedRun>();
  readonly transitions: TransitionRow[] = [];
  readonly runs = new Map<number, RunRow>();
  readonly inputs = new Map<string, InputRow>();
  readonly snapshots = new Map<number, SnapshotRow>();
  readonly snapshotsDropped = new Set<number>();
  readonly outcomes: Decided[] = [];
  readonly closed: { readonly run: RunKey; readonly result: RunResult }[] = [];
  readonly suspended: { readonly run: RunKey; readonly reason: SuspendReason; readonly trace: string | undefined }[] = [];

  constructor(number: number, cursor: number) {
    this.number = number;
    this.from = cursor;
    this.to = cursor;
  }

  get isEmpty(): boolean {
    return this.to === this.from && this.transitions.length === 0 && this.runs.size === 0 && this.inputs.size === 0 && this.snapshots.size === 0 && this.snapshotsDropped.size === 0;
  }

  /** Over what is kept under the id: its content and time stay. */
  putInput(row: InputRow): void {
    const key = inputKeyOf(row);
    const first = this.inputs.get(key);
    this.inputs.set(key, first ? { ...row, content: first.content, at: first.at } : row);
  }

  /** Sees to it that a suspension among the run's new events is told. */
  noteSuspended({ state: { run, trace } }: CachedRun, events: readonly EventBody[]): void {
    for (const event of events) if (event.kind === 'suspended') this.suspended.push({ run, reason: event.reason, trace });
  }

  transitionsOf(run: number): StoredTransition[] {
    return this.transitions
      .filter((row) => row.run === run)
      .map(({ last, at, bundle, inputId, digest, events }) => {
        const bodies = JSON.parse(events) as EventBody[];
        return { first: last - bodies.length + 1, at, bundle, inputId, events: bodies, digest };
      });
  }

  toCommit(shard: number, epoch: number): HistoryCommit {
    return {
      shard,
      epoch,
      cursor: { from: this.from, to: this.to },
      transitions: this.transitions,
      runs: [...this.runs.values()],
      inputs: [...this.inputs.values()],
      snapshots: [...this.snapshots.values()],
      snapshotsDropped: [...this.snapshotsDropped],
    };
  }
}
