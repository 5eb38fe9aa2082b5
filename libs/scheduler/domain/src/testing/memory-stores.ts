import assert from 'node:assert/strict';
import type { TaskChange, TaskRow, TimerChange, TimerRow } from '../task-row.js';
import { TaskStore } from '../task-store.js';
import { TimerStore } from '../timer-store.js';

/** Rows in a map, copied on the way in and out as a database would. */
export class MemoryTaskStore extends TaskStore {
  readonly rows = new Map<string, TaskRow>();

  override async load(): Promise<TaskRow[]> {
    return [...this.rows.values()].sort((a, b) => a.order - b.order).map((row) => structuredClone(row));
  }

  override async commit(changes: readonly TaskChange[]): Promise<void> {
    for (const change of changes) this.write(change);
  }

  write(change: TaskChange): void {
    if (change.kind === 'putTask') {
      this.rows.set(change.row.key, structuredClone(change.row));
    } else if (change.kind === 'deleteTask') {
      this.rows.delete(change.key);
    } else {
      const row = this.rows.get(change.key);
      assert(row, `updateTask names no row: ${change.key}`);
      this.rows.set(change.key, { ...row, state: structuredClone(change.state) });
    }
  }
}

export class MemoryTimerStore extends TimerStore {
  readonly rows = new Map<string, TimerRow>();

  override async load(): Promise<TimerRow[]> {
    return [...this.rows.values()];
  }

  override async commit(changes: readonly TimerChange[]): Promise<void> {
    for (const change of changes) this.write(change);
  }

  write(change: TimerChange): void {
    if (change.kind === 'putTimer') this.rows.set(change.row.key, structuredClone(change.row));
    else this.rows.delete(change.key);
  }
}
