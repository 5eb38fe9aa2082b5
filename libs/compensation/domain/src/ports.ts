import type { AuditEntry, CompensationChange, RollbackRow } from './rows.js';

/** The rollbacks of one slice, and its audit log. */
export abstract class SagaStore {
  /** Every rollback there is a row of, in rising `order`. */
  abstract load(): Promise<Iterable<RollbackRow>>;
  /** All or nothing. */
  abstract commit(changes: readonly CompensationChange[]): Promise<void>;
}

export interface AuditPage {
  readonly entries: readonly AuditEntry[];
  /** Pass as `cursor` to read on; absent at the end. */
  readonly next?: string;
}

/** The read side of the audit log. */
export abstract class AuditLog {
  /** Oldest first. */
  abstract list(tenant: string, filter: { readonly workflowId?: string; readonly cursor?: string; readonly limit: number }): Promise<AuditPage>;
}
