import type { Task } from './task.js';

/** Tasks of one name, first in first out; intrusive, so that any can leave in O(1). */
interface TaskList {
  head: Task | undefined;
  tail: Task | undefined;
}

/** The ready tasks of one (tenant, queue). FIFO over all names, also for a worker that has only some of the activities. */
export class ReadyQueue {
  readonly #byName = new Map<string, TaskList>();
  #size = 0;

  get size(): number {
    return this.#size;
  }

  /** At the end. `rank` rises from call to call. */
  push(task: Task, rank: number): void {
    const list = this.#listOf(task);
    task.rank = rank;
    task.prev = list.tail;
    task.next = undefined;
    if (list.tail) list.tail.next = task;
    else list.head = task;
    list.tail = task;
    this.#added(task);
  }

  /** Back to where it came from: before all that came after it. */
  unshift(task: Task): void {
    const list = this.#listOf(task);
    task.next = list.head;
    task.prev = undefined;
    if (list.head) list.head.prev = task;
    else list.tail = task;
    list.head = task;
    this.#added(task);
  }

  remove(task: Task): void {
    if (!task.queued) return;
    const list = this.#byName.get(task.spec.name)!;
    if (task.prev) task.prev.next = task.next;
    else list.head = task.next;
    if (task.next) task.next.prev = task.prev;
    else list.tail = task.prev;
    task.prev = task.next = undefined;
    task.queued = false;
    this.#size--;
    if (!list.head) this.#byName.delete(task.spec.name);
  }

  /** The first task with one of the names (absent: any), taken out. */
  take(names: ReadonlySet<string> | undefined): Task | undefined {
    let first: Task | undefined;
    for (const [name, { head }] of this.#byName) {
      if (head && (!names || names.has(name)) && (!first || head.rank < first.rank)) first = head;
    }
    if (first) this.remove(first);
    return first;
  }

  /** Whether there is a task with one of the names. */
  has(names: ReadonlySet<string> | undefined): boolean {
    if (!names) return this.#size > 0;
    for (const name of this.#byName.keys()) if (names.has(name)) return true;
    return false;
  }

  #listOf(task: Task): TaskList {
    let list = this.#byName.get(task.spec.name);
    if (!list) this.#byName.set(task.spec.name, (list = { head: undefined, tail: undefined }));
    return list;
  }

  #added(task: Task): void {
    task.queued = true;
    this.#size++;
  }
}
