import type { SuspendReason } from '@perdure/contract';
import type { Workflow } from './client.js';
import type { Door } from './door.js';
import type { Evidence } from './evidence.js';
import type { Desk } from './worker.js';

export interface SuspendedRun extends Workflow {
  readonly runId: string;
  readonly reason: SuspendReason;
}

/** A deployment of the domain code, as the rest of the simulated world meets it. */
export interface Shape {
  readonly evidence: Evidence;
  /** Where workers poll: one desk for each slice of the scheduler. */
  readonly desks: readonly Desk[];
  /** Where clients ask. */
  doors(): readonly Door[];
  suspended(): readonly SuspendedRun[];
  /** After each happening: lets what it began run to rest. */
  settle?(): Promise<void>;
  close?(): void;
}
