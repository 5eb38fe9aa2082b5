import type { TaskChange, TaskRow } from './task-row.js';

/** Where one slice's tasks are kept. The slice has a single writer; its adapter fences the epoch (design §5). */
export abstract class TaskStore {
  /** Every row, in rising `order`. */
  abstract load(): Promise<Iterable<TaskRow>>;
  /** All or nothing. */
  abstract commit(changes: readonly TaskChange[]): Promise<void>;
}
