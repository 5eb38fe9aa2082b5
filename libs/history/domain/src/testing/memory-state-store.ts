import { inputKeyOf, runKeyOf, type EventBody, type InputRef } from '@perdure/contract';
import type { HistoryCommit, InputRow, RunRef, RunRow, SnapshotRow, StoredTransition, TransitionRow } from '../ports/history-rows.js';
import { StateStore, type ShardHead } from '../ports/state-store.js';
import { StoreFault } from '@perdure/delivery';

const idOf = ({ tenant, workflowId }: RunRef): string => `${tenant}\u0000${workflowId}`;

const copy = <T>(value: T): T => structuredClone(value);

/** A shard's history in memory, for tests. `failNext` makes the next commit fail; `damageSnapshots` does what a bad disk would. */
export class MemoryStateStore extends StateStore {
  readonly runs = new Map<number, RunRow>();
  readonly inputs = new Map<string, InputRow>();
  readonly snapshots = new Map<number, SnapshotRow>();
  readonly #transitions = new Map<number, TransitionRow[]>();
  #head: { epoch: number; cursor: number } = { epoch: 1, cursor: 0 };
  #fault: StoreFault | undefined;
  /** How many transitions were read, for tests of what a load costs. */
  transitionsRead = 0;

  failNext(fault: StoreFault): void {
    this.#fault = fault;
  }

  damageSnapshots(): void {
    for (const [run, row] of this.snapshots) this.snapshots.set(run, { ...row, body: row.body.map((byte, at) => (at === row.body.length - 1 ? byte ^ 1 : byte)) });
  }

  override async head(): Promise<ShardHead> {
    return { ...this.#head, lastRunNumber: Math.max(0, ...this.runs.keys()) };
  }

  override async findRun(ref: RunRef): Promise<RunRow | undefined> {
    const rows = [...this.runs.values()].filter((row) => (ref.runId === undefined ? idOf(row) === idOf(ref) : runKeyOf(row) === runKeyOf({ ...ref, runId: ref.runId })));
    return copy(rows.sort((a, b) => a.number - b.number).at(-1));
  }

  override async transitions(run: number, { fromEvent, limit }: { readonly fromEvent: number; readonly limit: number }): Promise<readonly StoredTransition[]> {
    const rows = (this.#transitions.get(run) ?? []).filter(({ last }) => last >= fromEvent).slice(0, limit);
    this.transitionsRead += rows.length;
    return rows.map(({ last, at, bundle, inputId, digest, events }) => {
      const bodies = JSON.parse(events) as EventBody[];
      return { first: last - bodies.length + 1, at, bundle, inputId, events: bodies, digest };
    });
  }

  override async findInput(ref: InputRef): Promise<InputRow | undefined> {
    return copy(this.inputs.get(inputKeyOf(ref)));
  }

  override async findSnapshot(run: number): Promise<SnapshotRow | undefined> {
    return this.snapshots.get(run);
  }

  override async findDigest(run: number, last: number): Promise<Uint8Array | undefined> {
    return this.#transitions.get(run)?.find((row) => row.last === last)?.digest;
  }

  override async commit(commit: HistoryCommit): Promise<void> {
    const fault = this.#fault;
    this.#fault = undefined;
    if (fault) throw fault;
    const { epoch, cursor } = commit;
    if (epoch !== this.#head.epoch || cursor.from !== this.#head.cursor) throw new StoreFault('staleOwner', `the shard is at epoch ${this.#head.epoch}, cursor ${this.#head.cursor}`);
    this.write(commit);
  }

  /** Without the fence, for who has one of their own. Throws before it has changed anything. */
  write(commit: HistoryCommit): void {
    for (const row of commit.transitions) {
      if (this.#transitions.get(row.run)?.some(({ last }) => last === row.last)) throw new StoreFault('contentRefused', `run ${row.run} has an event ${row.last}`);
    }
    this.#head = { epoch: commit.epoch, cursor: commit.cursor.to };
    for (const row of commit.transitions) this.#transitions.set(row.run, [...(this.#transitions.get(row.run) ?? []), row]);
    for (const row of commit.runs) this.runs.set(row.number, copy(row));
    for (const row of commit.inputs) this.#putInput(row);
    for (const run of commit.snapshotsDropped) this.snapshots.delete(run);
    for (const row of commit.snapshots) this.snapshots.set(row.run, row);
  }

  override async purge({ closedBeforeMs, limit }: { readonly closedBeforeMs: number; readonly limit: number }): Promise<number> {
    const runs = [...this.runs.values()].filter(({ closedAt }) => closedAt !== undefined && closedAt < closedBeforeMs).sort((a, b) => a.closedAt! - b.closedAt!).slice(0, limit);
    for (const { number } of runs) {
      this.runs.delete(number);
      this.#transitions.delete(number);
      this.snapshots.delete(number);
    }
    const kept = new Set([...this.runs.values()].map(idOf));
    const gone = new Set(runs.map(idOf).filter((id) => !kept.has(id)));
    let alone = 0;
    for (const [key, row] of this.inputs) {
      const isAlone = row.run === undefined && row.at < closedBeforeMs && runs.length + alone < limit;
      if (!isAlone && !gone.has(idOf(row))) continue;
      this.inputs.delete(key);
      if (isAlone && !gone.has(idOf(row))) alone += 1;
    }
    return runs.length + alone;
  }

  #putInput(row: InputRow): void {
    const key = inputKeyOf(row);
    const first = this.inputs.get(key);
    this.inputs.set(key, copy(first ? { ...row, content: first.content, at: first.at } : row));
  }
}
