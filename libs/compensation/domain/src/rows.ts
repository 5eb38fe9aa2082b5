import type { CompensationEffect, Outcome, RunKey } from '@perdure/contract';

/** A rollback: its progress while it runs; after it ended, that it was, against repeats. */
export interface RollbackRow {
  /** Unique per run and seq. */
  readonly key: string;
  /** Rising per slice. */
  readonly order: number;
  readonly request: CompensationEffect;
  /** How the steps so far went; the next one is `request.steps[done.length]`. */
  readonly done: readonly StepDone[];
  /** Set when it has ended; then `request.steps` and `done` are empty. */
  readonly endedAt?: number;
}

export interface StepDone {
  readonly undoSeq: number;
  /** Without its value, which nobody asks for again: the audit log has it. */
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
  /** How many attempts a step took. */
  readonly attempts?: number;
}

export type CompensationChange =
  | { readonly kind: 'putRollback'; readonly row: RollbackRow }
  | { readonly kind: 'deleteRollback'; readonly key: string }
  | { readonly kind: 'audit'; readonly entry: AuditEntry };
