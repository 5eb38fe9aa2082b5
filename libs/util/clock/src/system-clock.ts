import { Clock, type CancelTimer } from './clock.js';

/** setTimeout takes at most a 32-bit signed delay; a longer one fires at once. */
const DELAY_MS_MAX = 2 ** 31 - 1;

/** How fast time passes while it is ahead of the machine's: nothing that waits notices, and the two come together again. */
const CATCH_UP_RATE = 0.9;

/** What the machine shows: the time of day, which is set by others, and one that only ever goes on. */
export interface MachineTime {
  readonly wallMs: () => number;
  readonly steadyMs: () => number;
}

/**
 * The machine's wall clock, made to never run backwards within the process. When the machine is set back it does not stand still either, for then no timeout,
 * timer or long poll would end until the machine is where it was.
 */
export class SystemClock extends Clock {
  readonly #machine: MachineTime;
  #lastMs = 0;
  #lastSteadyMs: number;

  constructor(machine: MachineTime = { wallMs: () => Date.now(), steadyMs: () => performance.now() }) {
    super();
    this.#machine = machine;
    this.#lastSteadyMs = machine.steadyMs();
  }

  override now(): number {
    const steadyMs = this.#machine.steadyMs();
    this.#lastMs = Math.max(this.#machine.wallMs(), this.#lastMs + (steadyMs - this.#lastSteadyMs) * CATCH_UP_RATE);
    this.#lastSteadyMs = steadyMs;
    return Math.floor(this.#lastMs);
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
