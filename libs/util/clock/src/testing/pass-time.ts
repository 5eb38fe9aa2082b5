import type { ManualClock } from '../manual-clock.js';

const TURNS_MAX = 5_000;

export interface Passing {
  readonly until: () => boolean;
  readonly stepMs?: number;
  /** For the failure. */
  readonly why?: string;
}

/** Time passes in steps, what each brings about runs to its rest before the next, until something holds. @throws Error when it never does */
export async function passTime(clock: ManualClock, { until, stepMs = 10, why = until.toString() }: Passing): Promise<void> {
  for (let turns = 0; !until(); turns++) {
    if (turns >= TURNS_MAX) throw new Error(`never: ${why}`);
    clock.advanceBy(stepMs);
    await new Promise((resolve) => setImmediate(resolve));
  }
}
