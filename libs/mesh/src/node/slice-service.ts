import type { SliceMachine, SliceName, SliceOwner, SliceStore } from '@perdure/delivery';
import type { Operations } from './slice-operations.js';

/** What a service that owns slices brings to its nodes. */
export interface SliceService<Rows, M extends SliceMachine<Rows>> {
  /** Its slices read a log. */
  readonly hasLog: boolean;
  store(slice: SliceName): SliceStore<Rows>;
  machine(slice: SliceName, context: { readonly epoch: number; readonly wake: () => void }): Promise<M>;
  readonly operations: Operations<Rows, M>;
  /** Before its slices are let go: those who wait are answered. */
  drain?(owner: SliceOwner<Rows, M>): void;
  /** From time to time, while the node owns the slice; gives whether there is more to do. */
  sweep?(owner: SliceOwner<Rows, M>): Promise<boolean>;
  close?(): Promise<void>;
}
