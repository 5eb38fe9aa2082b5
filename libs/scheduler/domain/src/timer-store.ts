import type { TimerChange, TimerRow } from './task-row.js';

/** Where one slice's timers are kept. */
export abstract class TimerStore {
  /** Every row, in any order. */
  abstract load(): Promise<Iterable<TimerRow>>;
  /** All or nothing. */
  abstract commit(changes: readonly TimerChange[]): Promise<void>;
}
