import assert from 'node:assert/strict';
import { runKeyOf } from '@perdure/contract';
import type { CachedRun } from './cached-run.js';
import type { RunRef } from './ports/history-rows.js';

const idOf = ({ tenant, workflowId }: RunRef): string => `${tenant}\u0000${workflowId}`;

/**
 * Runs in memory, and those with a live realm. Using one only marks it; who looks for one to evict passes a marked one over once, and so
 * finds one that has not been used for long (the clock algorithm).
 *
 * 1. The newest run of a workflow id is known to be that only while it is here.
 * 2. A realm belongs to a run that is here: who leaves closes it.
 */
export class RunCache {
  readonly #runs = new Map<string, CachedRun>();
  readonly #newest = new Map<string, CachedRun>();
  readonly #live = new Set<CachedRun>();

  get size(): number {
    return this.#runs.size;
  }

  get liveRealms(): number {
    return this.#live.size;
  }

  find(ref: RunRef): CachedRun | undefined {
    const run = ref.runId === undefined ? this.#newest.get(idOf(ref)) : this.#runs.get(runKeyOf(ref as RunRef & { runId: string }));
    if (run) run.isUsed = run.isRealmUsed = true;
    return run;
  }

  add(run: CachedRun, isNewest: boolean): void {
    assert(!this.#runs.has(run.key), 'a run is in memory once');
    this.#runs.set(run.key, run);
    run.isUsed = true;
    if (isNewest) this.#newest.set(idOf(run.row), run);
  }

  /** It is known by now that no newer run has the id. */
  markNewest(run: CachedRun): void {
    this.#newest.set(idOf(run.row), run);
  }

  setRealm(run: CachedRun, realm: NonNullable<CachedRun['realm']>): void {
    run.realm = realm;
    run.isRealmUsed = true;
    run.parked = undefined;
    this.#live.add(run);
  }

  closeRealm(run: CachedRun): void {
    this.#live.delete(run);
    run.realm?.close();
    run.realm = undefined;
  }

  remove(run: CachedRun): void {
    this.closeRealm(run);
    this.#runs.delete(run.key);
    const id = idOf(run.row);
    if (this.#newest.get(id) === run) this.#newest.delete(id);
  }

  /** Candidates to evict, until the caller stops. */
  *cold(): Generator<CachedRun> {
    for (const [key, run] of this.#runs) {
      if (run.isUsed) {
        run.isUsed = false;
        this.#runs.delete(key);
        this.#runs.set(key, run);
      } else yield run;
    }
  }

  /** Runs whose realm is a candidate to evict, until the caller stops. */
  *coldRealms(): Generator<CachedRun> {
    for (const run of this.#live) {
      if (run.isRealmUsed) {
        run.isRealmUsed = false;
        this.#live.delete(run);
        this.#live.add(run);
      } else yield run;
    }
  }

  runs(): Iterable<CachedRun> {
    return this.#runs.values();
  }

  /** Runs with a live realm. */
  live(): Iterable<CachedRun> {
    return this.#live;
  }
}
