import { idempotencyKeyOf, type TaskSpec } from '@perdure/contract';
import { scheduleToCloseDeadline } from './after-attempt.js';
import type { Alarm } from './alarm-heap.js';
import type { SchedulerLimits } from './scheduler-limits.js';
import type { ObservedAttempt } from './scheduler-observer.js';
import type { Session } from './session.js';
import type { TaskRow, TaskState } from './task-row.js';

/**
 * - `settling`: its change is staged; it is placed when that is committed
 * - `ready`: in its queue
 * - `waiting`: until `notBefore`
 * - `unclaimed`: loaded from the store; a worker may hold it and has a grace to say so
 * - `held`: by a session, or accepted for completion through the API
 */
export type TaskStatus = 'settling' | 'ready' | 'waiting' | 'unclaimed' | 'held' | 'closed';

const FRESH: TaskState = Object.freeze({ attempt: 1, failures: 0, crashes: 0, crashesInRow: 0, notBefore: 0 });

/** A task in memory: its row, and who has it. */
export class Task implements Alarm {
  readonly sort = 'task';
  readonly key: string;
  readonly order: number;
  readonly spec: TaskSpec;
  state: TaskState;
  status: TaskStatus;
  /** The store has, or will with the batch on its way have, its row. */
  stored: boolean;
  /** The last batch that changed it. */
  batch = -1;

  /** The newest token handed out for the current attempt in this life of the slice. */
  token: string | undefined;
  session: Session | undefined;
  /** The worker has said that it has the attempt. */
  confirmed = false;
  /** When this life of the slice last handed an attempt out; 0: never. */
  startedMs = 0;
  /** When the attempt is given up. */
  deadlineMs = Infinity;
  heartbeatDeadlineMs = Infinity;
  graceUntilMs = Infinity;
  /** An overdue deadline was put off because the server itself was held up; not again before a sign of life. */
  putOff = false;
  /** When the worker was last told to stop; 0: never. */
  toldMs = 0;
  /** Number of the poll that last listed it. */
  listed = 0;

  // Place in its ready list.
  prev: Task | undefined;
  next: Task | undefined;
  rank = 0;
  queued = false;

  atMs = Infinity;
  heapIndex = -1;

  private constructor(row: TaskRow, status: TaskStatus, stored: boolean) {
    this.key = row.key;
    this.order = row.order;
    this.spec = row.spec;
    this.state = row.state;
    this.status = status;
    this.stored = stored;
  }

  static scheduled(spec: TaskSpec, order: number): Task {
    return new Task({ key: idempotencyKeyOf(spec), order, spec, state: FRESH }, 'settling', false);
  }

  static loaded(row: TaskRow, status: TaskStatus): Task {
    return new Task(row, status, true);
  }

  get poisoned(): boolean {
    return this.state.poisonedAt !== undefined;
  }

  /** Of one that has been handed out. */
  observed(): ObservedAttempt {
    const { spec, state, token, startedMs } = this;
    return { spec, attempt: state.attempt, token: token!, readyMs: Math.max(spec.at, state.notBefore), ...(startedMs > 0 ? { startedMs } : {}) };
  }

  toRow(): TaskRow {
    return { key: this.key, order: this.order, spec: this.spec, state: this.state };
  }

  /** Starts the attempt's clocks. */
  startAttempt(now: number): void {
    const { startToCloseTimeoutMs, heartbeatTimeoutMs } = this.spec.options;
    this.deadlineMs = Math.min(now + startToCloseTimeoutMs, scheduleToCloseDeadline(this.spec));
    // Whoever completes an accepted attempt is no worker that could crash.
    this.heartbeatDeadlineMs = heartbeatTimeoutMs === undefined || this.state.accepted ? Infinity : now + heartbeatTimeoutMs;
    this.putOff = false;
  }

  /** When a deadline is so long overdue that the server must have been held up, what the worker said meanwhile may not have been read: there is some time for it. */
  putOffOverdue(now: number, { lateAlarmMs, confirmTimeoutMs }: SchedulerLimits): void {
    if (this.putOff || now - Math.min(this.deadlineMs, this.heartbeatDeadlineMs) <= lateAlarmMs) return;
    this.putOff = true;
    const untilMs = now + confirmTimeoutMs;
    this.deadlineMs = Math.max(this.deadlineMs, untilMs);
    this.heartbeatDeadlineMs = Math.max(this.heartbeatDeadlineMs, untilMs);
  }

  /** When the run is to be suspended because the task stays poisoned. */
  suspendAtMs(limits: SchedulerLimits): number {
    const { poisonedAt, suspensions = 0 } = this.state;
    return poisonedAt === undefined ? Infinity : poisonedAt + (suspensions + 1) * limits.poisonSuspendMs;
  }

  /** When something is to be done about it if nothing else happens. */
  nextAlarmMs(limits: SchedulerLimits): number {
    if (this.status === 'settling' || this.status === 'closed') return Infinity;
    let atMs = Math.min(scheduleToCloseDeadline(this.spec), this.suspendAtMs(limits));
    if (this.status === 'held') atMs = Math.min(atMs, this.deadlineMs, this.heartbeatDeadlineMs);
    else if (this.status === 'waiting') atMs = Math.min(atMs, this.state.notBefore);
    else if (this.status === 'unclaimed') atMs = Math.min(atMs, this.graceUntilMs);
    return atMs;
  }
}
