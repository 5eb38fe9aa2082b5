import type { SystemName } from './dialects.js';

/** What the generator is told, and what it tells. */
export interface LoadJob {
  readonly kind: 'run';
  readonly system: SystemName;
  readonly url: string;
  readonly workflow: string;
  readonly concurrency: number;
  /** Names this job's runs: `<prefix>-<lane>-<n>`. */
  readonly prefix: string;
  readonly warmupMs: number;
  readonly measureMs: number;
}

/** Reads the result of each run that an earlier job had acknowledged. */
export interface CheckJob {
  readonly kind: 'check';
  readonly system: SystemName;
  readonly url: string;
  readonly workflow: string;
  readonly ids: readonly string[];
}

export interface LoadResult {
  /** One for each run that ended inside the measured window. */
  readonly latenciesMs: Float64Array;
  readonly elapsedMs: number;
  /** Everything that was answered, in the warm-up too. */
  readonly acknowledged: readonly string[];
  readonly wrong: readonly string[];
  readonly failures: readonly string[];
}

export type GeneratorMessage = { readonly kind: 'ready' } | { readonly kind: 'measuring' } | { readonly kind: 'measured' } | { readonly kind: 'done'; readonly result: LoadResult };
