import { ManualClock } from '@perdure/clock';
import type { ActivityOptions, Input, PollRequest, PollResponse, RunKey, SchedulerEffect, TaskAnswer, TaskEnvelope, TaskSpec } from '@perdure/contract';
import type { SchedulerLimits } from '../scheduler-limits.js';
import type { SchedulerObserver } from '../scheduler-observer.js';
import { Scheduler } from '../scheduler.js';
import type { UndoClosing } from '../undo-closing.js';
import { MemoryTaskStore, MemoryTimerStore } from './memory-stores.js';

export const TENANT = 'acme';
export const RUN: RunKey = { tenant: TENANT, workflowId: 'order-7', runId: 'r1' };

const OPTIONS: ActivityOptions = { queue: 'default', startToCloseTimeoutMs: 60_000, retry: { maxAttempts: 0, initialIntervalMs: 1_000, backoffCoefficient: 2, maxIntervalMs: 100_000 } };

/** A scheduler with the loop around it that an embedding server has. */
export class SliceHarness {
  readonly clock = new ManualClock(1_000_000);
  readonly tasks = new MemoryTaskStore();
  readonly timers = new MemoryTimerStore();
  readonly inputs: Input[] = [];
  readonly undoClosings: UndoClosing[] = [];
  readonly #limits: Partial<SchedulerLimits>;
  readonly #slice: number;
  readonly #observer: SchedulerObserver | undefined;
  scheduler: Scheduler;
  epoch = 1;
  woken = false;

  constructor(limits: Partial<SchedulerLimits> = {}, observer?: SchedulerObserver, slice = 0) {
    this.#slice = slice;
    this.#limits = limits;
    this.#observer = observer;
    this.scheduler = this.#create();
  }

  /** A server that died and came back: memory gone, epoch risen. */
  async reopen(): Promise<void> {
    this.epoch++;
    this.scheduler = this.#create();
    this.woken = false;
    await this.scheduler.open();
  }

  /** One batch. `fail`: the store does not take it. */
  async batch(effects: readonly SchedulerEffect[] = [], { fail = false } = {}): Promise<void> {
    this.woken = false;
    this.scheduler.receive(effects);
    const inputs = this.scheduler.takeInputs();
    const undoClosings = this.scheduler.takeUndoClosings();
    const changes = this.scheduler.takeChanges();
    if (fail) return this.scheduler.reset();
    for (const change of changes) {
      if (change.kind === 'putTimer' || change.kind === 'deleteTimer') this.timers.write(change);
      else this.tasks.write(change);
    }
    this.inputs.push(...inputs);
    this.undoClosings.push(...undoClosings);
    this.scheduler.committed();
    await Promise.resolve();
  }

  /** Batches as long as the scheduler asks for them. */
  async settle(): Promise<void> {
    for (let i = 0; this.woken && i < 1_000; i++) await this.batch();
  }

  async advance(ms: number): Promise<void> {
    // What was called and not awaited, an open poll say, has begun by then.
    for (let i = 0; i < 5; i++) await Promise.resolve();
    const until = this.clock.now() + ms;
    for (let next = this.clock.next(); next !== undefined && next <= until; next = this.clock.next()) {
      this.clock.advanceTo(next);
      await this.settle();
    }
    this.clock.advanceTo(until);
    await this.settle();
  }

  async schedule(seq: number, options: Partial<ActivityOptions> = {}, spec: Partial<TaskSpec> = {}): Promise<void> {
    await this.batch([this.task(seq, options, spec)]);
  }

  task(seq: number, options: Partial<ActivityOptions> = {}, spec: Partial<TaskSpec> = {}): SchedulerEffect & { kind: 'scheduleTask' } {
    return { to: 'scheduler', kind: 'scheduleTask', run: RUN, seq, role: 'activity', name: 'charge', bundle: 'b', workflowType: 'deliver', at: this.clock.now(), ...spec, options: { ...OPTIONS, ...options } };
  }

  cancel(seq: number): SchedulerEffect {
    return { to: 'scheduler', kind: 'cancelTask', run: RUN, seq };
  }

  poll(request: Partial<PollRequest> = {}, signal?: AbortSignal): Promise<PollResponse> {
    return this.scheduler.poll(TENANT, { worker: 'w', session: '1', queues: ['default'], slots: 10, holding: [], waitMs: 0, ...request }, signal);
  }

  /** What there is for a worker now. */
  async take(request: Partial<PollRequest> = {}): Promise<readonly TaskEnvelope[]> {
    return (await this.poll(request)).tasks;
  }

  async takeOne(request: Partial<PollRequest> = {}): Promise<TaskEnvelope> {
    const [task] = await this.take({ slots: 1, ...request });
    if (!task) throw new Error('there is no task to take');
    return task;
  }

  async answer(...answers: TaskAnswer[]): Promise<string[]> {
    const receipts = this.scheduler.answer(TENANT, answers);
    await this.settle();
    return (await receipts).map(({ status }) => status);
  }

  #create(): Scheduler {
    return new Scheduler({ tasks: this.tasks, timers: this.timers, clock: this.clock, random: () => 0.5, slice: this.#slice, epoch: this.epoch, wake: () => (this.woken = true), limits: this.#limits, ...(this.#observer ? { observer: this.#observer } : {}) });
  }
}
