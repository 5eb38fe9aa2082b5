import { Clock, type CancelTimer } from './clock.js';

/** setTimeout takes at most a 32-bit signed delay; a longer one fires at once. */
const DELAY_MS_MAX = 2 ** 31 - 1;

/** The machine's wall clock, made to never run backwards within the process. */
export class SystemClock extends Clock {
  #last = 0;

  override now(): number {
    this.#last = Math.max(this.#last, Date.now());
    return this.#last;
  }

  override at(atMs: number, run: () => void): CancelTimer {
    let timer: NodeJS.Timeout;
    const arm = (): void => {
      const delayMs = Math.max(0, atMs - this.now());
      timer = delayMs > DELAY_MS_MAX ? setTimeout(arm, DELAY_MS_MAX) : setTimeout(run, delayMs);
    };
    arm();
    return () => clearTimeout(timer);
  }
}
