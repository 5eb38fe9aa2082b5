import type { HistoryEvent, Parent, SuspendReason } from './history.js';
import type { Json } from './json.js';
import type { Attributes } from './options.js';
import type { Failure } from './outcome.js';
import type { RunKey, RunStatus } from './run.js';

/** What the API shows of a run. Times are epoch milliseconds. */
export interface RunView extends RunKey, Attributes {
  readonly workflowType: string;
  readonly status: RunStatus;
  readonly bundle: string;
  readonly startedAt: number;
  readonly closedAt?: number;
  /** Number of its last event. */
  readonly events: number;
  readonly parent?: Parent;
  readonly continuedFrom?: string;
  readonly continuedTo?: string;
  readonly suspended?: SuspendReason;
  readonly trace?: string;
}

/** `open`: not closed yet. */
export type RunResult =
  | { readonly status: 'completed'; readonly runId: string; readonly result?: Json }
  | { readonly status: 'failed' | 'cancelled' | 'terminated'; readonly runId: string; readonly error: Failure }
  | { readonly status: 'continued'; readonly runId: string; readonly nextRunId: string }
  | { readonly status: 'running' | 'suspended'; readonly runId: string };

export interface HistoryPage {
  readonly run: RunView;
  readonly events: readonly HistoryEvent[];
  /** Pass as `after` to read on; absent at the end. */
  readonly next?: number;
}

export interface RunPage {
  readonly runs: readonly RunView[];
  /** Opaque; pass as `cursor`. */
  readonly next?: string;
}

export interface BundleView {
  readonly hash: string;
  readonly tenant: string;
  readonly name: string;
  readonly workflows: readonly string[];
  readonly bytes: number;
  readonly createdAt: number;
  /** Workflow types for which it is the tenant's default. */
  readonly defaultFor: readonly string[];
  /** Runs that are not closed and are pinned to it. */
  readonly openRuns: number;
  readonly retirable: boolean;
  /** Why it cannot be retired yet. */
  readonly why?: string;
}
