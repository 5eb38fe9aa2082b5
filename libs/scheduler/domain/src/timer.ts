import type { Alarm } from './alarm-heap.js';
import type { TimerRow } from './task-row.js';

/** A timer in memory. */
export class Timer implements Alarm {
  readonly sort = 'timer';
  row: TimerRow;
  stored: boolean;
  batch = -1;
  gone = false;
  atMs = Infinity;
  heapIndex = -1;

  constructor(row: TimerRow, stored: boolean) {
    this.row = row;
    this.stored = stored;
  }

  get key(): string {
    return this.row.key;
  }
}
