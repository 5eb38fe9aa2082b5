import { setTimeout as pause } from 'node:timers/promises';
import type { TaskAnswer, TaskEnvelope } from '@perdure/contract';
import type { EmbeddedShard } from '@perdure/embedded';
import { Attempt, collectActivities, type ActivityFunction, type ActivitySource } from '@perdure/sdk/node';

export interface ActivityHostOptions {
  readonly shard: EmbeddedShard;
  readonly tenant: string;
  readonly activities: ActivitySource | readonly ActivitySource[];
  /** An activity that has not ended after so long, of real time, is no longer waited for. */
  readonly patienceMs: number;
}

const SLOTS = 1_000;

/**
 * The world's only worker: it runs activities in this process.
 *
 * 1. An attempt is held until its answer is acknowledged; so the scheduler never takes it for lost while the world's clock stands still.
 * 2. `changes` rises with all that may give the shard or the worker something to do.
 */
export class ActivityHost {
  readonly #options: ActivityHostOptions;
  readonly #activities: ReadonlyMap<string, ActivityFunction>;
  readonly #held = new Map<string, Attempt>();
  /** Held, but no longer waited for. */
  readonly #hanging = new Set<Attempt>();
  #changes = 0;
  #changed: PromiseWithResolvers<void> = Promise.withResolvers();

  constructor(options: ActivityHostOptions) {
    this.#options = options;
    const sources = [options.activities].flat().filter((source) => Object.keys(source).length > 0);
    this.#activities = sources.length === 0 ? new Map() : collectActivities(sources);
  }

  get changes(): number {
    return this.#changes;
  }

  get holdsAny(): boolean {
    return this.#held.size > 0;
  }

  /** Whether an activity runs that is worth waiting for. */
  get isBusy(): boolean {
    return this.#held.size > this.#hanging.size;
  }

  /** When attempts that are held are given up, epoch milliseconds. */
  get deadlines(): number[] {
    return [...this.#held.values()].map(({ task }) => task.deadline);
  }

  /** Something happened elsewhere: whoever waits should look again. */
  touch(): void {
    this.#changes++;
    this.#changed.resolve();
    this.#changed = Promise.withResolvers();
  }

  /** Asks the shard once for attempts to run and to stop. Gives whether there were any. */
  async take(queues: readonly string[]): Promise<boolean> {
    const { shard, tenant } = this.#options;
    const { tasks, cancel } = await shard.poll(tenant, { worker: 'world', session: 'world', queues, slots: SLOTS, holding: [...this.#held.keys()], waitMs: 0 });
    for (const task of tasks) this.#start(task);
    // The shard says it at each poll until the attempt has ended: only the first time is news.
    const news = cancel.filter(({ token, reason }) => this.#held.has(token) && this.#held.get(token)?.stopped !== reason);
    for (const { token, reason } of news) this.#stop(token, reason);
    return tasks.length > 0 || news.length > 0;
  }

  /** Until something changes; or until those that still run have used up the patience. */
  async whenChanged(): Promise<void> {
    const over = new AbortController();
    const impatient = pause(this.#options.patienceMs, undefined, { signal: over.signal }).then(
      () => this.#held.forEach((attempt) => this.#hanging.add(attempt)),
      () => undefined,
    );
    await Promise.race([this.#changed.promise, impatient]);
    over.abort();
  }

  #start(task: TaskEnvelope): void {
    const attempt = new Attempt(task, (beating) => void this.#beat(beating).catch(() => undefined));
    this.#held.set(task.token, attempt);
    void this.#run(attempt);
  }

  async #run(attempt: Attempt): Promise<void> {
    const { shard, tenant } = this.#options;
    const { json } = await attempt.run(this.#activities.get(attempt.task.name) ?? this.#unknown(attempt.task.name));
    // A world that was closed meanwhile takes no answers.
    if (this.#held.has(attempt.token)) await shard.answer(tenant, [JSON.parse(json) as TaskAnswer]).catch(() => undefined);
    this.#drop(attempt);
  }

  async #beat(attempt: Attempt): Promise<void> {
    const { shard, tenant } = this.#options;
    const { token, progress } = attempt;
    const [response] = await shard.heartbeat(tenant, [{ token, ...(progress === undefined ? {} : { progress }) }]);
    if (response && response.status !== 'ok') this.#stop(token, response.status);
  }

  #stop(token: string, reason: 'cancelled' | 'superseded'): void {
    const attempt = this.#held.get(token);
    if (!attempt) return;
    // It may end now, so it is worth waiting for again.
    this.#hanging.delete(attempt);
    attempt.stop(reason);
    if (reason === 'superseded') this.#drop(attempt);
  }

  #drop(attempt: Attempt): void {
    this.#held.delete(attempt.token);
    this.#hanging.delete(attempt);
    this.touch();
  }

  /** Not tried again, unlike in production: nothing will bring the activity into a test. */
  #unknown(name: string): ActivityFunction {
    return () => {
      const error = Object.assign(new Error(`The world has no activity "${name}"; it has: ${[...this.#activities.keys()].sort().join(', ')}.`), { retryable: false });
      error.name = 'UnknownActivity';
      throw error;
    };
  }
}
