import type { ManualClock } from '@perdure/clock';
import { LIMITS, type TaskSpec } from '@perdure/contract';
import type { EmbeddedShard } from '@perdure/embedded';
import { SqliteSchedulerStore, type ShardFile } from '@perdure/sqlite';
import type { ActivityHost } from './activity-host.js';

export interface TimelineOptions {
  readonly file: ShardFile;
  readonly shard: EmbeddedShard;
  readonly host: ActivityHost;
  readonly clock: ManualClock;
}

export interface Goal<T> {
  /** What is waited for, once it is there. */
  readonly reached: () => T | undefined;
  /** Why it will never be there, when no time brings anything more. */
  readonly stuck: () => Error;
}

/** Less than the silence after which a worker's session counts as crashed: an attempt that is held must outlive a skip. */
const HELD_STEP_MS = 5_000;

/**
 * The world's time.
 *
 * 1. It moves only when nothing is left to do: the shard is settled and no activity runs that is worth waiting for.
 * 2. One at a time moves it; so everybody who waits sees each moment settled.
 * 3. It goes from one due time to the next, never past one.
 */
export class Timeline {
  readonly #options: TimelineOptions;
  readonly #store: SqliteSchedulerStore;
  #turn: Promise<unknown> = Promise.resolve();

  constructor(options: TimelineOptions) {
    this.#options = options;
    this.#store = new SqliteSchedulerStore(options.file);
  }

  /** Until nothing is left to do now. */
  settled(): Promise<void> {
    return this.#exclusively(() => this.#settle());
  }

  async sleep(ms: number): Promise<void> {
    const { clock } = this.#options;
    const untilMs = clock.now() + ms;
    await this.settled();
    while (clock.now() < untilMs) await this.#exclusively(async () => this.#advance(Math.min(untilMs, (await this.#nextDue()) ?? untilMs)));
  }

  /** Skips time until the goal is reached. */
  async skipUntil<T>({ reached, stuck }: Goal<T>): Promise<T> {
    const { clock } = this.#options;
    const latestMs = clock.now() + LIMITS.durationMsMax;
    let found: T | undefined;
    const step = async (): Promise<void> => {
      await this.#settle();
      found = reached();
      if (found !== undefined) return;
      const dueMs = await this.#nextDue();
      if (dueMs === undefined || dueMs > latestMs) throw stuck();
      await this.#advance(dueMs);
    };
    while (found === undefined) await this.#exclusively(step);
    return found;
  }

  #exclusively<T>(run: () => Promise<T>): Promise<T> {
    const turn = this.#turn.then(run);
    this.#turn = turn.catch(() => undefined);
    return turn;
  }

  async #settle(): Promise<void> {
    const { shard, host, clock } = this.#options;
    for (;;) {
      const before = host.changes;
      await shard.settled();
      // What became due at once, a sleep of no time say, sounds only when the clock is told.
      if ((clock.next() ?? Infinity) <= clock.now()) clock.advanceTo(clock.now());
      else if (await host.take(await this.#queues())) continue;
      else if (host.changes !== before) continue;
      else if (host.isBusy) await host.whenChanged();
      else return;
    }
  }

  async #advance(toMs: number): Promise<void> {
    const { host, clock } = this.#options;
    clock.advanceTo(host.holdsAny ? Math.min(toMs, clock.now() + HELD_STEP_MS) : toMs);
    await this.#settle();
  }

  /** Of what users wait for. The clock's own next alarm may be housekeeping, which is always to come. */
  async #nextDue(): Promise<number | undefined> {
    const { host, clock } = this.#options;
    const dues = host.deadlines;
    for (const { dueMs } of await this.#store.timers.load()) dues.push(dueMs);
    for (const { spec, state } of await this.#store.tasks.load()) dues.push(state.notBefore, state.accepted?.deadline ?? 0, lastMomentOf(spec));
    const first = Math.min(...dues.filter((dueMs) => dueMs > clock.now()));
    return first === Infinity ? undefined : first;
  }

  async #queues(): Promise<readonly string[]> {
    const queues = new Set(['default']);
    for (const { spec } of await this.#store.tasks.load()) queues.add(spec.options.queue ?? 'default');
    return [...queues];
  }
}

const lastMomentOf = ({ at, options }: TaskSpec): number => (options.scheduleToCloseTimeoutMs === undefined ? 0 : at + options.scheduleToCloseTimeoutMs);
