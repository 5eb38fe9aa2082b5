import type { RunStatus, SuspendReason } from '@perdure/contract';
import type { AttemptEnding, ReadyCount } from '@perdure/scheduler';
import { Counter, Gauge, Histogram, Registry, type MetricObjectWithValues, type MetricValue } from 'prom-client';

export type MetricJson = MetricObjectWithValues<MetricValue<string>>;

/** What is not counted as it happens but looked at when someone asks. */
export interface ShardLevels {
  readonly tasksOpen: number;
  readonly tasksPoisoned: number;
  readonly timers: number;
  readonly sessions: number;
  readonly waits: number;
  readonly eventsBuffered: number;
  /** Of several slices one after the other: a queue may come again. */
  readonly ready: Iterable<ReadyCount>;
}

/** Queue names are the users' own: so many have a series of theirs (I9), the others share one. */
const QUEUE_SERIES_MAX = 100;
const OTHER_QUEUES = 'other';

const SECONDS = [0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60, 300];
const COMMIT_SECONDS = [0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5];

const createMetrics = (registry: Registry) => {
  const registers = [registry];
  const counter = <L extends string>(name: string, help: string, labelNames: L[]): Counter<L> => new Counter({ name, help, labelNames, registers });
  const gauge = <L extends string>(name: string, help: string, labelNames: L[] = []): Gauge<L> => new Gauge({ name, help, labelNames, registers });
  const histogram = (name: string, help: string, buckets: number[]): Histogram => new Histogram({ name, help, buckets, registers });
  return {
    started: counter('perdure_runs_started_total', 'Runs started', ['tenant']),
    closed: counter('perdure_runs_closed_total', 'Runs closed, by how', ['tenant', 'status']),
    suspended: counter('perdure_runs_suspended_total', 'Runs that were suspended, by why', ['tenant', 'reason']),
    attempts: counter('perdure_activity_attempts_total', 'Attempts of activities that ended, by how', ['tenant', 'outcome']),
    poisonings: counter('perdure_tasks_poisoned_total', 'Tasks that became poisoned', ['tenant']),
    scheduleToStart: histogram('perdure_task_schedule_to_start_seconds', 'From when a task could start to its hand-out', SECONDS),
    lateness: histogram('perdure_timer_lateness_seconds', 'From when a timer was due to its firing', SECONDS),
    commit: histogram('perdure_shard_commit_duration_seconds', 'Commits of batches, fsync included', COMMIT_SECONDS),
    ready: gauge('perdure_tasks_ready', 'Tasks that wait for a worker', ['tenant', 'queue', 'poisoned']),
    open: gauge('perdure_tasks_open', 'Tasks that have not closed'),
    poisoned: gauge('perdure_tasks_poisoned', 'Open tasks that are poisoned'),
    timers: gauge('perdure_timers_armed', 'Timers that have not fired'),
    sessions: gauge('perdure_worker_sessions', 'Workers that poll'),
    waits: gauge('perdure_waits_open', 'Waits of runs for external events'),
    buffered: gauge('perdure_events_buffered', 'External events that no run has taken'),
  };
};

export const NO_LEVELS: ShardLevels = { tasksOpen: 0, tasksPoisoned: 0, timers: 0, sessions: 0, waits: 0, eventsBuffered: 0, ready: [] };

/** A shard's figures as Prometheus metrics, in the shard's own thread. Labels are bounded: tenants are those that have keys. */
export class ShardMetrics {
  readonly #registry = new Registry();
  readonly #metrics = createMetrics(this.#registry);

  started(tenant: string): void {
    this.#metrics.started.inc({ tenant });
  }
  closed(tenant: string, status: RunStatus): void {
    this.#metrics.closed.inc({ tenant, status });
  }
  suspended(tenant: string, reason: SuspendReason['kind']): void {
    this.#metrics.suspended.inc({ tenant, reason });
  }
  attemptEnded(tenant: string, outcome: AttemptEnding): void {
    this.#metrics.attempts.inc({ tenant, outcome });
  }
  poisoned(tenant: string): void {
    this.#metrics.poisonings.inc({ tenant });
  }
  handedOut(waitedMs: number): void {
    this.#metrics.scheduleToStart.observe(Math.max(0, waitedMs) / 1000);
  }
  timerFired(latenessMs: number): void {
    this.#metrics.lateness.observe(Math.max(0, latenessMs) / 1000);
  }
  committed(tookMs: number): void {
    this.#metrics.commit.observe(tookMs / 1000);
  }

  /** To be merged with those of other shards. */
  collect(levels: ShardLevels): Promise<MetricJson[]> {
    this.#set(levels);
    return this.#registry.getMetricsAsJSON();
  }

  /** In Prometheus' text format, where there are no others. */
  text(levels: ShardLevels): Promise<string> {
    this.#set(levels);
    return this.#registry.metrics();
  }

  #set(levels: ShardLevels): void {
    const { ready, open, poisoned, timers, sessions, waits, buffered } = this.#metrics;
    open.set(levels.tasksOpen);
    poisoned.set(levels.tasksPoisoned);
    timers.set(levels.timers);
    sessions.set(levels.sessions);
    waits.set(levels.waits);
    buffered.set(levels.eventsBuffered);
    ready.reset();
    const named = new Set<string>();
    for (const { tenant, queue, poisoned: isPoisoned, count } of levels.ready) {
      const series = `${tenant}\u0000${queue}\u0000${isPoisoned}`;
      if (named.size < QUEUE_SERIES_MAX) named.add(series);
      ready.inc({ tenant, queue: named.has(series) ? queue : OTHER_QUEUES, poisoned: String(isPoisoned) }, count);
    }
  }
}
