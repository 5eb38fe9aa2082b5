import type { Command } from './command.js';
import type { JobEvent } from './history.js';
import type { Json } from './json.js';
import type { Failure } from './outcome.js';

/**
 * The protocol between host and realm. The bundle defines one global, `__perdure`:
 *
 *     activate(job: string): void      // JSON of a Job; the host then runs all pending jobs of the realm
 *     drain(): string                  // JSON of an ActivationOutput; empties it. '' says: more has come to pass, run all pending jobs and ask again
 *     manifest(): string               // JSON of a BundleManifest, read once at the baseline
 *
 * A job is a history event of the job sort with its time, or a query.
 */
export type Job = (JobEvent & { readonly at: number }) | QueryJob;

export interface QueryJob {
  readonly kind: 'query';
  readonly at: number;
  readonly name: string;
  readonly input?: Json;
}

export interface ActivationOutput {
  readonly commands: readonly Command[];
  /** Set for a refused update (validator threw) or an unknown signal, update or query name: nothing else of the activation counts. */
  readonly refused?: Refusal;
  /** A query's answer (absent value: `undefined`) or the failure of its handler. */
  readonly answer?: { readonly value?: Json } | { readonly error: Failure };
  /** What the code wrote with `console`; shown live, dropped in replay. */
  readonly logs?: readonly RealmLog[];
}

export interface Refusal {
  readonly code: 'unknown-signal' | 'unknown-update' | 'unknown-query' | 'update-refused' | 'unknown-workflow';
  readonly message: string;
  /** What would have been known. */
  readonly known?: readonly string[];
  readonly error?: Failure;
}

export interface RealmLog {
  readonly level: 'debug' | 'info' | 'warn' | 'error';
  readonly text: string;
}

/** What a bundle holds, told by its own evaluation. */
export interface BundleManifest {
  /** Names of the exported async functions: the workflow types. */
  readonly workflows: readonly string[];
  readonly signals: readonly string[];
  readonly queries: readonly string[];
  readonly updates: readonly string[];
  /** Version of the SDK's workflow runtime inside the bundle. */
  readonly runtime: string;
}
