import assert from 'node:assert/strict';
import type { Input } from '@perdure/contract';
import type { SchedulerChange } from './task-row.js';
import type { Task } from './task.js';
import type { Timer } from './timer.js';
import type { UndoClosing } from './undo-closing.js';

/**
 * What a batch has changed and not yet committed.
 *
 * 1. A row that goes and the input that says why leave in the same batch: `seal` refuses while inputs are not taken.
 * 2. A row is written once a batch, as it is in the end; one that came and went within one batch leaves no change.
 */
export class Stage {
  /** Number of the batch that is being filled. */
  #batch = 0;
  #tasks: Task[] = [];
  #timers: Timer[] = [];
  #sealedTasks: Task[] = [];
  #sealedTimers: Timer[] = [];
  #inputs: Input[] = [];
  #undoClosings: UndoClosing[] = [];

  touchTask(task: Task): void {
    if (task.batch === this.#batch) return;
    task.batch = this.#batch;
    this.#tasks.push(task);
  }

  touchTimer(timer: Timer): void {
    if (timer.batch === this.#batch) return;
    timer.batch = this.#batch;
    this.#timers.push(timer);
  }

  addInput(input: Input): void {
    this.#inputs.push(input);
  }

  addUndoClosing(closing: UndoClosing): void {
    this.#undoClosings.push(closing);
  }

  takeInputs(): Input[] {
    const inputs = this.#inputs;
    this.#inputs = [];
    return inputs;
  }

  takeUndoClosings(): UndoClosing[] {
    const closings = this.#undoClosings;
    this.#undoClosings = [];
    return closings;
  }

  seal(): SchedulerChange[] {
    assert(this.#inputs.length === 0, 'take the inputs before the changes: a closed task must not leave the store without its input');
    assert(this.#undoClosings.length === 0, 'take the undo closings before the changes');
    const changes: SchedulerChange[] = [];
    for (const task of this.#tasks) {
      const change = taskChange(task);
      if (change) changes.push(change);
    }
    for (const timer of this.#timers) {
      if (!timer.gone) changes.push({ kind: 'putTimer', row: timer.row });
      else if (timer.stored) changes.push({ kind: 'deleteTimer', key: timer.row.key });
      timer.stored = !timer.gone;
    }
    this.#sealedTasks = this.#sealedTasks.concat(this.#tasks);
    this.#sealedTimers = this.#sealedTimers.concat(this.#timers);
    this.#tasks = [];
    this.#timers = [];
    this.#batch++;
    return changes;
  }

  /** Everything sealed is durable. What a later batch has changed again is left to that batch's own commit. */
  committed(): { readonly tasks: readonly Task[]; readonly timers: readonly Timer[] } {
    const settled = {
      tasks: this.#tasks.length === 0 ? this.#sealedTasks : this.#sealedTasks.filter(({ batch }) => batch < this.#batch),
      timers: this.#timers.length === 0 ? this.#sealedTimers : this.#sealedTimers.filter(({ batch }) => batch < this.#batch),
    };
    this.#sealedTasks = [];
    this.#sealedTimers = [];
    return settled;
  }

  clear(): void {
    this.#tasks = [];
    this.#timers = [];
    this.#sealedTasks = [];
    this.#sealedTimers = [];
    this.#inputs = [];
    this.#undoClosings = [];
    this.#batch++;
  }
}

const taskChange = (task: Task): SchedulerChange | undefined => {
  const { key, stored } = task;
  if (task.status === 'closed') {
    task.stored = false;
    return stored ? { kind: 'deleteTask', key } : undefined;
  }
  task.stored = true;
  return stored ? { kind: 'updateTask', key, state: task.state } : { kind: 'putTask', row: task.toRow() };
};
