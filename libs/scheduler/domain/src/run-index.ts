import { runKeyOf, type RunKey } from '@perdure/contract';
import type { Task } from './task.js';
import type { Timer } from './timer.js';

/** The tasks and timers of the slice, by key, and by run: what `dropRun` drops. Undo tasks outlive their run's closing, so they are not in `ofRun`. */
export class RunIndex {
  readonly tasks = new Map<string, Task>();
  readonly timers = new Map<string, Timer>();
  readonly #byRun = new Map<string, Set<Task | Timer>>();

  addTask(task: Task): void {
    this.tasks.set(task.key, task);
    if (task.spec.role === 'activity') this.#add(task.spec.run, task);
  }

  addTimer(timer: Timer): void {
    this.timers.set(timer.row.key, timer);
    this.#add(timer.row.run, timer);
  }

  removeTask(task: Task): void {
    this.tasks.delete(task.key);
    if (task.spec.role === 'activity') this.#remove(task.spec.run, task);
  }

  removeTimer(timer: Timer): void {
    this.timers.delete(timer.row.key);
    this.#remove(timer.row.run, timer);
  }

  /** A copy: the caller removes them. */
  ofRun(run: RunKey): (Task | Timer)[] {
    return [...(this.#byRun.get(runKeyOf(run)) ?? [])];
  }

  clear(): void {
    this.tasks.clear();
    this.timers.clear();
    this.#byRun.clear();
  }

  #add(run: RunKey, item: Task | Timer): void {
    const key = runKeyOf(run);
    const items = this.#byRun.get(key);
    if (items) items.add(item);
    else this.#byRun.set(key, new Set([item]));
  }

  #remove(run: RunKey, item: Task | Timer): void {
    const key = runKeyOf(run);
    const items = this.#byRun.get(key);
    items?.delete(item);
    if (items?.size === 0) this.#byRun.delete(key);
  }
}
