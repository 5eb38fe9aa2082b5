import type { Effect, Input, InputOutcome, InputRef, RealmLog, RunKey, RunResult, SuspendReason } from '@perdure/contract';
import type { Engine, RunState } from '@perdure/engine';
import type { Guards } from '@perdure/guards';
import type { BundleSource } from './ports/bundle-source.js';
import type { Ownership } from './ports/ownership.js';
import type { RealmHost } from './ports/realm-host.js';
import type { StackMapper } from './ports/stack-mapper.js';
import type { StateStore } from './ports/state-store.js';

/** What has become of an input. */
export interface Decided {
  readonly ref: InputRef;
  readonly outcome: InputOutcome;
  /** Of what was brought under the id: several may have brought different things. `undefined` of what is not remembered. */
  readonly content: string | undefined;
  /** The one that is so answered; `undefined` when it came before. */
  readonly input: Input | undefined;
}

/** Told of what has become durable; never before its commit (design §1). */
export interface ProcessorEvents {
  /** For an update twice: `accepted`, then `updated`. */
  outcome?(decided: Decided): void;
  closed?(run: RunKey, result: RunResult): void;
  /** Until an operator resumes it. `trace` is the run's. */
  suspended?(run: RunKey, reason: SuspendReason, trace: string | undefined): void;
  /** What workflow code wrote with `console`, as it runs; not in replays. `trace` is the run's. */
  logs?(run: RunKey, logs: readonly RealmLog[], trace: string | undefined): void;
  /** An input could not be processed and was set aside; its run is suspended. For the operator. */
  fault?(input: Input, error: Error, run: RunState | undefined): void;
}

/** Sees inputs as they are processed, for metrics and traces; decides nothing. What it sees counts only once the batch has committed. */
export interface ProcessorObserver {
  processing(input: Input): void;
  /** The run has the input now. Gives its effects, with another trace context perhaps. */
  processed(input: Input, run: RunState, effects: readonly Effect[]): readonly Effect[];
  /** The input changed nothing in the run that it was for. */
  dropped(input: Input, run: RunState): void;
}

export interface ProcessorDeps {
  readonly engine: Engine;
  readonly store: StateStore;
  readonly bundles: BundleSource;
  readonly realms: RealmHost;
  readonly ownership: Ownership;
  readonly stacks?: StackMapper;
  readonly events?: ProcessorEvents;
  readonly observer?: ProcessorObserver;
}

/** I9: what a shard keeps in memory. */
export interface ProcessorLimits {
  /** Run states. */
  readonly runsMax: number;
  /** Live realms, most of them 16 to 32 KB each. A batch may pass it until its commit. */
  readonly realmsMax: number;
  /** What they hold together, as their host counts it, for the few that are large. A batch may pass it likewise. */
  readonly realmBytesMax: number;
  /** Live realms within a batch: what the sandbox has. */
  readonly realmsInBatchMax: number;
  /** A live run is snapshotted at least so often. */
  readonly snapshotEveryEvents: number;
  /** And an event later for each so many bytes of its last one: what a large run pays for snapshots must not grow with its size. */
  readonly snapshotBytesPerEvent: number;
  /** Snapshots made after one commit, so that a burst of them does not hold up the next batch. */
  readonly snapshotsPerCommitMax: number;
  /** Transitions read at a time. */
  readonly pageTransitions: number;
  /** A named run that continued as new is followed so many times. */
  readonly redirectsMax: number;
  /** Runs that follow each other by continue-as-new in one batch. */
  readonly continuationsMax: number;
}

export const PROCESSOR_LIMITS: ProcessorLimits = {
  runsMax: 20_000,
  realmsMax: 1_024,
  realmBytesMax: 256 * 1_024 * 1_024,
  realmsInBatchMax: 3_000,
  snapshotEveryEvents: 200,
  snapshotBytesPerEvent: 1_024,
  snapshotsPerCommitMax: 4,
  pageTransitions: 500,
  redirectsMax: 100_000,
  continuationsMax: 100,
};

export interface ProcessorOptions {
  readonly shard?: number;
  /** Authenticates snapshots (I7). The same for all processes that share the store; one that nobody keeps makes snapshots of one process's life. */
  readonly snapshotKey: Uint8Array;
  readonly limits?: Partial<ProcessorLimits>;
  readonly guards?: Guards;
}
