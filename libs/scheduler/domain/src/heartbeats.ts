import type { Clock } from '@perdure/clock';
import type { HeartbeatRequest, HeartbeatResponse } from '@perdure/contract';
import type { AlarmHeap } from './alarm-heap.js';
import type { Claims } from './claims.js';
import type { SchedulerLimits } from './scheduler-limits.js';
import type { TaskState } from './task-row.js';
import type { Task } from './task.js';

export interface HeartbeatsDeps {
  readonly claims: Claims;
  readonly clock: Clock;
  readonly heap: Pick<AlarmHeap<Task>, 'set'>;
  readonly limits: SchedulerLimits;
  /** The token's answer was recorded a short while ago. */
  readonly isRecent: (tenant: string, token: string) => boolean;
}

/** What workers say of attempts they are at: a sign of life counts at once, progress is kept by the next batch. */
export class Heartbeats {
  readonly #deps: HeartbeatsDeps;
  #progressed: { readonly tenant: string; readonly token: string; readonly progress: TaskState['progress'] }[] = [];

  constructor(deps: HeartbeatsDeps) {
    this.#deps = deps;
  }

  beat(tenant: string, { token, progress }: HeartbeatRequest): HeartbeatResponse {
    const { claims, clock, heap, limits, isRecent } = this.#deps;
    const task = claims.find(tenant, token, 'progressByToken');
    if (!task) return { status: isRecent(tenant, token) ? 'ok' : 'superseded' };
    claims.seen(task);
    const { heartbeatTimeoutMs } = task.spec.options;
    if (task.status === 'held' && heartbeatTimeoutMs !== undefined && !task.state.accepted) {
      task.heartbeatDeadlineMs = clock.now() + heartbeatTimeoutMs;
      task.putOff = false;
      heap.set(task, task.nextAlarmMs(limits));
    }
    if (progress !== undefined) this.#progressed.push({ tenant, token, progress });
    return { status: task.state.cancelRequested ? 'cancelled' : 'ok' };
  }

  get hasProgress(): boolean {
    return this.#progressed.length > 0;
  }

  /** Of attempts that are the newest still. */
  takeProgress(keep: (task: Task, progress: TaskState['progress']) => void): void {
    for (const { tenant, token, progress } of this.#progressed) {
      const task = this.#deps.claims.find(tenant, token, 'progressByToken');
      if (task) keep(task, progress);
    }
    this.#progressed = [];
  }

  clear(): void {
    this.#progressed = [];
  }
}
