import type { Random } from './random.js';

/** What goes wrong, and how often: probabilities, and mean times between. A seed has some of them, each in a strength of its own. */
export interface Faults {
  /** Of a message, a request or an answer. */
  lossP: number;
  repeatP: number;
  /** The work was done, its answer does not come. */
  lateAckP: number;
  slowP: number;
  slowMaxMs: number;
  storeUnavailableP: number;
  storeUnknownDoneP: number;
  storeUnknownNotP: number;
  /** Unknown, and lands later. */
  storeUnknownLateP: number;
  /** A batch of several is refused by its content; each alone is not. */
  storeRefusesP: number;
  /** A slice's store takes nothing for a while. */
  outageEveryMs: number;
  outageMaxMs: number;
  readFailsP: number;
  crashEveryMs: number;
  stallEveryMs: number;
  stallMaxMs: number;
  takeOverEveryMs: number;
  clockJumpEveryMs: number;
  skewMaxMs: number;
  workerCrashP: number;
  workerSlowP: number;
  damageEveryMs: number;
}

/** Nothing goes wrong. */
export const CALM: Faults = {
  lossP: 0, repeatP: 0, lateAckP: 0, slowP: 0, slowMaxMs: 0,
  storeUnavailableP: 0, storeUnknownDoneP: 0, storeUnknownNotP: 0, storeUnknownLateP: 0, storeRefusesP: 0, readFailsP: 0, outageEveryMs: Infinity, outageMaxMs: 0,
  crashEveryMs: Infinity, stallEveryMs: Infinity, stallMaxMs: 0, takeOverEveryMs: Infinity, clockJumpEveryMs: Infinity, skewMaxMs: 0,
  workerCrashP: 0, workerSlowP: 0, damageEveryMs: Infinity,
};

/** Each sort is there or not, so that some seeds try one sort alone and some all at once. */
export function drawFaults(random: Random): Faults {
  const p = (max: number): number => (random.chance(0.6) ? random.next() * max : 0);
  const every = (minMs: number, maxMs: number): number => (random.chance(0.6) ? random.int(minMs, maxMs) : Infinity);
  return {
    lossP: p(0.2), repeatP: p(0.3), lateAckP: p(0.15), slowP: p(0.3), slowMaxMs: random.int(100, 6_000),
    storeUnavailableP: p(0.1), storeUnknownDoneP: p(0.1), storeUnknownNotP: p(0.1), storeUnknownLateP: p(0.1), storeRefusesP: p(0.4), readFailsP: p(0.01), outageEveryMs: every(3_000, 15_000), outageMaxMs: random.int(100, 8_000),
    crashEveryMs: every(3_000, 20_000), stallEveryMs: every(3_000, 20_000), stallMaxMs: random.int(500, 15_000), takeOverEveryMs: every(2_000, 15_000),
    clockJumpEveryMs: every(5_000, 30_000), skewMaxMs: random.chance(0.5) ? random.int(0, 5_000) : 0,
    workerCrashP: p(0.1), workerSlowP: p(0.15), damageEveryMs: every(500, 4_000),
  };
}

/** They are over: everything must come to its end now. */
export const calm = (faults: Faults): void => void Object.assign(faults, CALM);
