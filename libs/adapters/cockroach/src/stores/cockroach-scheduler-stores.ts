import type { SliceName } from '@perdure/delivery';
import { TaskStore, TimerStore, type TaskRow, type TimerRow } from '@perdure/scheduler';
import type { CockroachPool } from '../pool/cockroach-pool.js';
import { READ_TASKS, READ_TIMERS, toTaskRow, toTimerRow } from '../rows/scheduler-rows.js';

/** A slice's tasks, for its owner to begin with. */
export class CockroachTaskStore extends TaskStore {
  readonly #pool: CockroachPool;
  readonly #slice: SliceName;

  constructor(pool: CockroachPool, slice: SliceName) {
    super();
    this.#pool = pool;
    this.#slice = slice;
  }

  override async load(): Promise<Iterable<TaskRow>> {
    return (await this.#pool.read(READ_TASKS, [this.#slice])).map(toTaskRow);
  }

  override commit(): Promise<void> {
    throw new Error('the scheduler commits by its slice');
  }
}

/** A slice's timers, likewise. */
export class CockroachTimerStore extends TimerStore {
  readonly #pool: CockroachPool;
  readonly #slice: SliceName;

  constructor(pool: CockroachPool, slice: SliceName) {
    super();
    this.#pool = pool;
    this.#slice = slice;
  }

  override async load(): Promise<Iterable<TimerRow>> {
    return (await this.#pool.read(READ_TIMERS, [this.#slice])).map(toTimerRow);
  }

  override commit(): Promise<void> {
    throw new Error('the scheduler commits by its slice');
  }
}
