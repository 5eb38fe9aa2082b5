import { AuditLog, type AuditPage } from '@perdure/compensation';
import { fromCursor, toCursor, type HistoryPage, type InputOutcome, type RunPage, type RunResult, type RunView, type TaskView } from '@perdure/contract';
import { WaitReader, type WaitView } from '@perdure/correlation';
import type { BundleUse } from '@perdure/history';
import { TaskReader } from '@perdure/scheduler';
import type { NumberedEntry, NumberedRun, RunQuery, SqliteAuditLog, SqliteRunReader } from './run-reader.js';

/** What is committed of runs, in one file or in several. */
export type CommittedRuns = Pick<SqliteRunReader, 'find' | 'result' | 'outcome' | 'history' | 'list' | 'bundleUse'>;

type ShardOf = (tenant: string, workflowId: string) => number;
type Ref = { readonly tenant: string; readonly workflowId: string };

/** Pages over several lists that are each in order: one cursor has the place in every list. */
const placesOf = (cursor: string | undefined, count: number): (number | undefined)[] =>
  cursor === undefined ? new Array<undefined>(count).fill(undefined) : [...fromCursor(cursor, count)];

const merge = <T>(lists: readonly (readonly T[])[], limit: number, before: (a: T, b: T) => boolean): { readonly item: T; readonly list: number }[] => {
  const heads = lists.map(() => 0);
  const merged: { item: T; list: number }[] = [];
  while (merged.length < limit) {
    let first: { item: T; list: number } | undefined;
    for (const [list, items] of lists.entries()) {
      const item = items[heads[list]!];
      if (item !== undefined && (!first || before(item, first.item))) first = { item, list };
    }
    if (!first) break;
    heads[first.list]!++;
    merged.push(first);
  }
  return merged;
};

/** The files of all shards, read as one. */
export class ShardedRunReader implements CommittedRuns {
  readonly #readers: readonly SqliteRunReader[];
  readonly #shardOf: ShardOf;

  constructor(readers: readonly SqliteRunReader[], shardOf: ShardOf) {
    this.#readers = readers;
    this.#shardOf = shardOf;
  }

  find(ref: Ref & { readonly runId?: string }): RunView | undefined {
    return this.#of(ref).find(ref);
  }
  result(ref: Ref & { readonly runId?: string }): RunResult | undefined {
    return this.#of(ref).result(ref);
  }
  outcome(ref: Ref & { readonly inputId: string }): InputOutcome | undefined {
    return this.#of(ref).outcome(ref);
  }
  history(ref: Ref & { readonly runId?: string }, page: { readonly after: number; readonly limit: number }): HistoryPage | undefined {
    return this.#of(ref).history(ref, page);
  }

  /** Newest first, by the time of their start. */
  list(tenant: string, query: RunQuery): RunPage {
    const { cursor, ...rest } = query;
    const places = placesOf(cursor, this.#readers.length);
    const pages = this.#readers.map((reader, shard) => reader.page(tenant, { ...rest, before: places[shard] }));
    const merged = merge<NumberedRun>(pages.map(({ runs }) => runs), query.limit, (a, b) => a.run.startedAt > b.run.startedAt);
    // Of a shard of which nothing is given yet, the next page has none that starts meanwhile.
    for (const [shard, { runs }] of pages.entries()) places[shard] ??= (runs[0]?.number ?? 0) + 1;
    for (const { item, list } of merged) places[list] = item.number;
    const given = merged.length;
    const isLast = pages.every(({ isLast: last }) => last) && given === pages.reduce((sum, { runs }) => sum + runs.length, 0);
    return { runs: merged.map(({ item }) => item.run), ...(isLast || given === 0 ? {} : { next: toCursor(places) }) };
  }

  bundleUse(tenant: string): BundleUse[] {
    const all = new Map<string, BundleUse>();
    for (const use of this.#readers.flatMap((reader) => reader.bundleUse(tenant))) {
      const known = all.get(use.bundle);
      all.set(use.bundle, { bundle: use.bundle, open: use.open + (known?.open ?? 0), newest: Math.max(use.newest, known?.newest ?? 0) });
    }
    return [...all.values()];
  }

  #of({ tenant, workflowId }: Ref): SqliteRunReader {
    return this.#readers[this.#shardOf(tenant, workflowId)]!;
  }
}

/** A run's waits lie with the events that they are for, so in any of the files. */
export class ShardedWaitReader extends WaitReader {
  readonly #readers: readonly WaitReader[];

  constructor(readers: readonly WaitReader[]) {
    super();
    this.#readers = readers;
  }

  override async ofWorkflow(tenant: string, workflowId: string): Promise<readonly WaitView[]> {
    const waits = (await Promise.all(this.#readers.map((reader) => reader.ofWorkflow(tenant, workflowId)))).flat();
    return waits.sort((a, b) => a.openedAt - b.openedAt || a.seq - b.seq);
  }
}

/** A run's tasks are in its own shard's file. */
export class ShardedTaskReader extends TaskReader {
  readonly #readers: readonly TaskReader[];
  readonly #shardOf: ShardOf;

  constructor(readers: readonly TaskReader[], shardOf: ShardOf) {
    super();
    this.#readers = readers;
    this.#shardOf = shardOf;
  }

  override ofWorkflow(tenant: string, workflowId: string): Promise<readonly TaskView[]> {
    return this.#readers[this.#shardOf(tenant, workflowId)]!.ofWorkflow(tenant, workflowId);
  }
}

export class ShardedAuditLog extends AuditLog {
  readonly #logs: readonly SqliteAuditLog[];

  constructor(logs: readonly SqliteAuditLog[]) {
    super();
    this.#logs = logs;
  }

  /** Oldest first, by the time of the entries. */
  override async list(tenant: string, { cursor, ...filter }: { readonly workflowId?: string; readonly cursor?: string; readonly limit: number }): Promise<AuditPage> {
    const places = placesOf(cursor, this.#logs.length);
    const pages = this.#logs.map((log, shard) => log.page(tenant, { ...filter, after: places[shard] }));
    const merged = merge<NumberedEntry>(pages.map(({ entries }) => entries), filter.limit, (a, b) => a.entry.at < b.entry.at);
    for (const { item, list } of merged) places[list] = item.number;
    const isLast = pages.every(({ isLast: last }) => last) && merged.length === pages.reduce((sum, { entries }) => sum + entries.length, 0);
    return { entries: merged.map(({ item }) => item.entry), ...(isLast ? {} : { next: toCursor(places) }) };
  }
}
