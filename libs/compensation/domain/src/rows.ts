import type { CompensationEffect, Outcome, RunKey } from '@perdure/contract';

/** A rollback that has not finished. */
export interface RollbackRow {
  /** Unique per run and seq. */
  readonly key: string;
  /** Rising per slice. */
  readonly order: number;
  readonly request: CompensationEffect;
  /** How the steps so far went; the next one is `request.steps[done.length]`. */
  readonly done: readonly StepDone[];
}

export interface StepDone {
  readonly undoSeq: number;
  readonly outcome: Outcome;
}

/** What was undone, why and how it went. Never changed. */
export interface AuditEntry {
  /** Unique: the same entry written again is the same entry. */
  readonly id: string;
  readonly run: RunKey;
  readonly at: number;
  readonly cause: CompensationEffect['cause'];
  readonly kind: 'rollbackStarted' | 'stepClosed' | 'rollbackEnded';
  /** Of a step: the undo activity, and the activity that it took back. */
  readonly step?: { readonly undoSeq: number; readonly name: string; readonly activitySeq: number };
  /** How many steps a rollback has; set when it starts. */
  readonly steps?: number;
  readonly outcome?: Outcome;
}

export type CompensationChange =
  | { readonly kind: 'putRollback'; readonly row: RollbackRow }
  | { readonly kind: 'deleteRollback'; readonly key: string }
  | { readonly kind: 'audit'; readonly entry: AuditEntry };
