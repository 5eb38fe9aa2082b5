import type { Clock } from '@perdure/clock';
import type { Guards } from '@perdure/guards';
import type { SchedulerLimits } from './scheduler-limits.js';
import type { SchedulerObserver } from './scheduler-observer.js';
import type { TaskStore } from './task-store.js';
import type { TimerStore } from './timer-store.js';

export interface SchedulerOptions {
  readonly tasks: TaskStore;
  readonly timers: TimerStore;
  readonly clock: Clock;
  /** In [0, 1): jitter, and the part of a token that cannot be guessed. */
  readonly random: () => number;
  /** The slice's number; default 0. */
  readonly slice?: number;
  /** Rises each time the slice is opened by an owner. */
  readonly epoch: number;
  /** There is something to take: run a batch. Called at most once until `takeInputs`. */
  readonly wake: () => void;
  readonly observer?: SchedulerObserver;
  readonly limits?: Partial<SchedulerLimits>;
  readonly guards?: Guards;
}

export interface SchedulerStats {
  /** Not closed. */
  readonly tasks: number;
  readonly ready: number;
  readonly poisoned: number;
  readonly timers: number;
  readonly sessions: number;
}
