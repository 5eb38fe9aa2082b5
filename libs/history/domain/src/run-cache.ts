import assert from 'node:assert/strict';
import { runKeyOf } from '@perdure/contract';
import type { CachedRun } from './cached-run.js';
import type { RunRef } from './ports/history-rows.js';

const idOf = ({ tenant, workflowId }: RunRef): string => `${tenant}\u0000${workflowId}`;

/**
 * Runs in memory, in the order of their last use; those with a live realm in an order of their own.
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
    if (run) this.#touch(run);
    return run;
  }

  add(run: CachedRun, isNewest: boolean): void {
    assert(!this.#runs.has(run.key), 'a run is in memory once');
    this.#runs.set(run.key, run);
    if (isNewest) this.#newest.set(idOf(run.row), run);
  }

  /** It is known by now that no newer run has the id. */
  markNewest(run: CachedRun): void {
    this.#newest.set(idOf(run.row), run);
  }

  setRealm(run: CachedRun, realm: NonNullable<CachedRun['realm']>): void {
    run.realm = realm;
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

  /** Longest unused first. */
  runs(): Iterable<CachedRun> {
    return this.#runs.values();
  }

  /** Runs with a live realm, longest unused first. */
  live(): Iterable<CachedRun> {
    return this.#live;
  }

  #touch(run: CachedRun): void {
    this.#runs.delete(run.key);
    this.#runs.set(run.key, run);
    if (this.#live.delete(run)) this.#live.add(run);
  }
}
