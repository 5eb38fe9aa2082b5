import { Clock, type CancelTimer } from './clock.js';

interface Alarm {
  readonly atMs: number;
  readonly order: number;
  readonly run: () => void;
}

/** A clock that stands still until told to move: for tests, simulations and skippable time. */
export class ManualClock extends Clock {
  #now: number;
  #order = 0;
  readonly #alarms = new Set<Alarm>();

  constructor(startMs = 1_700_000_000_000) {
    super();
    this.#now = startMs;
  }

  override now(): number {
    return this.#now;
  }

  override at(atMs: number, run: () => void): CancelTimer {
    const alarm = { atMs, order: this.#order++, run };
    this.#alarms.add(alarm);
    return () => void this.#alarms.delete(alarm);
  }

  /** The time of the earliest alarm, if any is set. */
  next(): number | undefined {
    return this.#earliest()?.atMs;
  }

  /** Moves to `toMs`, sounding every alarm on the way at its own time, in order. */
  advanceTo(toMs: number): void {
    for (let alarm = this.#earliest(); alarm && alarm.atMs <= toMs; alarm = this.#earliest()) {
      this.#alarms.delete(alarm);
      this.#now = Math.max(this.#now, alarm.atMs);
      alarm.run();
    }
    this.#now = Math.max(this.#now, toMs);
  }

  advanceBy(ms: number): void {
    this.advanceTo(this.#now + ms);
  }

  #earliest(): Alarm | undefined {
    let found: Alarm | undefined;
    for (const alarm of this.#alarms) {
      if (!found || alarm.atMs < found.atMs || (alarm.atMs === found.atMs && alarm.order < found.order)) found = alarm;
    }
    return found;
  }
}
