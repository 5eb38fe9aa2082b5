import { SagaStore } from '../ports.js';
import type { AuditEntry, CompensationChange, RollbackRow } from '../rows.js';

export class MemorySagaStore extends SagaStore {
  readonly rollbacks = new Map<string, RollbackRow>();
  readonly audit = new Map<string, AuditEntry>();

  override load(): Promise<Iterable<RollbackRow>> {
    return Promise.resolve([...this.rollbacks.values()].sort((a, b) => a.order - b.order));
  }

  override commit(changes: readonly CompensationChange[]): Promise<void> {
    for (const change of changes) {
      if (change.kind === 'putRollback') this.rollbacks.set(change.row.key, change.row);
      else if (change.kind === 'deleteRollback') this.rollbacks.delete(change.key);
      else this.audit.set(change.entry.id, change.entry);
    }
    return Promise.resolve();
  }
}
