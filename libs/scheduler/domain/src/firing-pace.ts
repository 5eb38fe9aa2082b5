import type { SchedulerLimits } from './scheduler-limits.js';

/** Beside so many other inputs a batch fires one timer. */
const OTHERS_PER_TIMER = 2;

/**
 * How many due timers a batch fires (design §14). Each wakes a run, most often one that is not in memory, and so costs about what another input costs:
 *
 * 1. Beside other work half as many as there is of that, at least one: when 50,000 are due in one second, the batches of all others take half as long again.
 * 2. Alone one more with each such batch in a row, up to the limit: who comes while nobody else was there waits for a short batch too.
 */
export class FiringPace {
  readonly #max: number;
  #alone = 0;

  constructor({ timersMaxPerBatch }: Pick<SchedulerLimits, 'timersMaxPerBatch'>) {
    this.#max = timersMaxPerBatch;
  }

  /** For the next batch, which has so much other work. */
  next(others: number): number {
    this.#alone = others > 0 ? 0 : this.#alone + 1;
    return Math.min(this.#max, Math.max(1, others > 0 ? Math.floor(others / OTHERS_PER_TIMER) : this.#alone));
  }
}
