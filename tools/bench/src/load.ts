import type { SystemName } from './dialects.js';

interface Job {
  readonly system: SystemName;
  readonly url: string;
  readonly workflow: string;
  readonly concurrency: number;
  /** Goes into the input of each run, and into what is expected of it. */
  readonly count?: number;
}

/** Starts runs and waits for their results for so long, each lane one run at a time. */
export interface RunJob extends Job {
  readonly kind: 'run';
  /** Names this job's runs: `<prefix>-<lane>-<n>`. */
  readonly prefix: string;
  readonly warmupMs: number;
  readonly measureMs: number;
}

/**
 * Does one thing for each run of a list.
 * - `execute`: starts it and waits for its result
 * - `start`: starts it
 * - `wake`: sends it the word that it waits for and waits for its result
 * - `attach`: waits for its result
 * - `check`: reads the result that it must have by now
 */
export interface EachJob extends Job {
  readonly kind: 'execute' | 'start' | 'wake' | 'attach' | 'check';
  readonly ids: readonly string[];
  /** In place of one `count` for all. */
  readonly counts?: readonly number[];
}

export type LoadJob = RunJob | EachJob;

export interface LoadResult {
  /** One for each run: of a `run` job those that ended inside the measured window, else all, in the order in which they ended. */
  readonly latenciesMs: Float64Array;
  readonly elapsedMs: number;
  /** Every run whose answer was right, in the warm-up too. */
  readonly acknowledged: readonly string[];
  /** What came of the first that were wrong, or had no answer. */
  readonly wrong: readonly string[];
  readonly failures: readonly string[];
}

export type GeneratorMessage = { readonly kind: 'ready' } | { readonly kind: 'measuring' } | { readonly kind: 'measured' } | { readonly kind: 'done'; readonly result: LoadResult };
