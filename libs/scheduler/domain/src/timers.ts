import type { Clock } from '@perdure/clock';
import { idempotencyKeyOf, type RunKey } from '@perdure/contract';
import type { AlarmHeap } from './alarm-heap.js';
import { DueQueue } from './due-queue.js';
import { FiringPace } from './firing-pace.js';
import type { RunIndex } from './run-index.js';
import type { SchedulerLimits } from './scheduler-limits.js';
import type { SchedulerObserver } from './scheduler-observer.js';
import type { Stage } from './stage.js';
import { Timer } from './timer.js';

export interface TimersDeps {
  readonly clock: Clock;
  readonly heap: Pick<AlarmHeap<Timer>, 'set' | 'remove'>;
  readonly index: RunIndex;
  readonly stage: Stage;
  readonly limits: SchedulerLimits;
  readonly observer?: SchedulerObserver | undefined;
}

/** The timers of runs: each is set, and stopped or fired, by a batch. */
export class Timers {
  readonly #deps: TimersDeps;
  /** Apart from what else is due, which must not wait behind them: many may be due in one second. */
  readonly #due = new DueQueue<Timer>();
  readonly #pace: FiringPace;

  constructor(deps: TimersDeps) {
    this.#deps = deps;
    this.#pace = new FiringPace(deps.limits);
  }

  /** A timer that is there already is a repetition of its effect (I4). */
  start({ run, seq, dueMs }: { readonly run: RunKey; readonly seq: number; readonly dueMs: number }): void {
    const { index, heap, stage } = this.#deps;
    const key = timerKeyOf({ run, seq });
    const known = index.timers.get(key);
    if (known?.row.dueMs === dueMs) return;
    const row = { key, run, seq, dueMs };
    const timer = known ?? new Timer(row, false);
    timer.row = row;
    heap.remove(timer);
    index.addTimer(timer);
    stage.touchTimer(timer);
  }

  disarm(named: { readonly run: RunKey; readonly seq: number }): void {
    const timer = this.#deps.index.timers.get(timerKeyOf(named));
    if (timer) this.stop(timer);
  }

  stop(timer: Timer): void {
    const { index, heap, stage } = this.#deps;
    timer.gone = true;
    heap.remove(timer);
    index.removeTimer(timer);
    stage.touchTimer(timer);
  }

  addDue(timer: Timer): void {
    this.#due.push(timer);
  }

  get hasDue(): boolean {
    return this.#due.length > 0;
  }

  /** As many as there is room for beside so many other inputs of the batch. */
  fireDue(others: number): void {
    for (const timer of this.#due.take(this.#pace.next(others))) this.#fire(timer);
  }

  clear(): void {
    this.#due.clear();
  }

  #fire(timer: Timer): void {
    const { clock, observer, stage } = this.#deps;
    const { run, seq, dueMs } = timer.row;
    const at = clock.now();
    if (timer.gone || dueMs > at) return;
    this.stop(timer);
    observer?.timerFired(at - dueMs);
    stage.addInput({ id: `${run.runId}/${seq}/fired`, ...run, at, kind: 'timerFired', seq, dueMs });
  }
}

const timerKeyOf = ({ run, seq }: { readonly run: RunKey; readonly seq: number }): string => idempotencyKeyOf({ run, seq, role: 'activity' });
