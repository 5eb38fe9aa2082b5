import type { SchedulerLimits } from './scheduler-limits.js';

/** Of the inputs that others have, so many give room for one timer. */
const OTHERS_PER_TIMER = 2;
/** After so many batches that had nothing else, the next ones fire one more. */
const BATCHES_PER_RISE = 3;

/**
 * How many due timers a batch fires (design §14). Each wakes a run, most often one that is not in memory, and so costs about what another input costs:
 *
 * 1. Beside other work they have half as much room as that has, over the batches: when 50,000 are due in one second, what others wait for takes half as long again.
 * 2. Alone they have a little more with each few batches in a row, up to the limit: who comes when nobody else is there waits for a short batch too.
 */
export class FiringPace {
  readonly #max: number;
  #alone = 0;
  #room = 0;

  constructor({ timersMaxPerBatch }: Pick<SchedulerLimits, 'timersMaxPerBatch'>) {
    this.#max = timersMaxPerBatch;
  }

  /** For the next batch, which has so much other work. */
  next(others: number): number {
    if (others === 0) {
      this.#alone += 1;
      return Math.min(this.#max, Math.ceil(this.#alone / BATCHES_PER_RISE));
    }
    this.#alone = 0;
    this.#room += others / OTHERS_PER_TIMER;
    const count = Math.min(this.#max, Math.floor(this.#room));
    this.#room %= 1;
    return count;
  }
}
