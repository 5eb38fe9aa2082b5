import type { SliceMachine, SliceName, SliceOwner, SliceStore } from '@perdure/delivery';
import type { ShardLevels, ShardObserver } from '@perdure/hosting';
import type { RequestRoots } from '@perdure/telemetry';
import type { Operations } from './slice-operations.js';

/** `observer`: counts for the node, whatever slice it is of. */
export interface SliceContext {
  readonly epoch: number;
  readonly wake: () => void;
  readonly observer: ShardObserver;
}

/** What a service that owns slices brings to its nodes. */
export interface SliceService<Rows, M extends SliceMachine<Rows>> {
  /** Its slices read a log. */
  readonly hasLog: boolean;
  store(slice: SliceName): SliceStore<Rows>;
  machine(slice: SliceName, context: SliceContext): Promise<M>;
  readonly operations: Operations<Rows, M>;
  /** Where the requests are whose inputs its slices commit. */
  readonly requests?: RequestRoots;
  /** Before its slices are let go: those who wait are answered. */
  drain?(owner: SliceOwner<Rows, M>): void;
  /** From time to time, while the node owns the slice; gives whether there is more to do. */
  sweep?(owner: SliceOwner<Rows, M>): Promise<boolean>;
  /** What there is now in what the node owns, for its metrics. */
  levels?(owners: readonly SliceOwner<Rows, M>[]): Partial<ShardLevels>;
  /** Runs whose code is in memory. */
  liveRealms?(owners: readonly SliceOwner<Rows, M>[]): number;
  close?(): Promise<void>;
}
