import type { CancelTimer, Clock } from '@perdure/clock';
import { idempotencyKeyOf, type AnswerReceipt, type HeartbeatRequest, type HeartbeatResponse, type Input, type Outcome, type PollRequest, type PollResponse, type RunKey, type SchedulerEffect, type TaskAnswer, type TaskSpec } from '@perdure/contract';
import { ALL_GUARDS } from '@perdure/guards';
import { afterAttempt, cancelled, scheduleToCloseDeadline, timedOut, type Ending } from './after-attempt.js';
import { AlarmHeap } from './alarm-heap.js';
import { Claims, type ReadyCount } from './claims.js';
import { DeskMail, type AnswerCall } from './desk-mail.js';
import { DueQueue } from './due-queue.js';
import { Heartbeats } from './heartbeats.js';
import { RunIndex } from './run-index.js';
import { SCHEDULER_LIMITS, type SchedulerLimits } from './scheduler-limits.js';
import type { AttemptEnd, AttemptEnding } from './scheduler-observer.js';
import type { SchedulerOptions, SchedulerStats } from './scheduler-options.js';
import { Session, type Poller } from './session.js';
import { Stage } from './stage.js';
import { TaskDesk } from './task-desk.js';
import type { SchedulerChange, TaskState } from './task-row.js';
import { Task } from './task.js';
import { Timer } from './timer.js';
import { Timers } from './timers.js';
import type { UndoClosing } from './undo-closing.js';

/**
 * One slice of tasks and timers, with a single writer (design §9, §10).
 *
 * 1. Rows change only inside a batch: in `receive` and in the first `takeInputs` of a batch, which handles what has arrived and what is due.
 *    So no change can leave without the input that belongs to it, whatever arrives while the batch is being worked on.
 * 2. Nothing leaves before its commit (I4): tasks, receipts, cancels and closings are let out by `committed`.
 * 3. Each task closes once: its row goes and one input comes, with the same id whatever the outcome (I8).
 * 4. Memory can be rebuilt from the rows at any time: `reset`. Claims are not in them; workers list what they hold.
 * 5. One alarm of the clock is set, for the earliest deadline of all.
 */
export class Scheduler extends TaskDesk {
  readonly #options: SchedulerOptions;
  readonly #limits: SchedulerLimits;
  readonly #clock: Clock;
  readonly #heap = new AlarmHeap<Task | Timer | Session | Poller>();
  readonly #index = new RunIndex();
  readonly #stage = new Stage();
  readonly #mail: DeskMail;
  readonly #claims: Claims;
  /** Attempts taken from a session by the batch, to be told after its commit. */
  #superseded: { readonly session: Session; readonly token: string }[] = [];
  readonly #due = new DueQueue<Task | Session>();
  readonly #timers: Timers;
  readonly #heartbeats: Heartbeats;
  #order = 0;
  #batchOpen = false;
  #woken = false;
  #armedMs = Infinity;
  #disarm: CancelTimer | undefined;
  #opened: Promise<void> = Promise.resolve();

  constructor(options: SchedulerOptions) {
    super();
    this.#options = options;
    this.#clock = options.clock;
    this.#limits = { ...SCHEDULER_LIMITS, ...options.limits };
    this.#mail = new DeskMail(this.#limits);
    this.#timers = new Timers({ clock: this.#clock, heap: this.#heap, index: this.#index, stage: this.#stage, limits: this.#limits, observer: options.observer });
    this.#claims = new Claims({
      clock: options.clock,
      slice: options.slice ?? 0,
      epoch: options.epoch,
      nonce: createNonce(options.random),
      limits: this.#limits,
      guards: options.guards ?? ALL_GUARDS,
      heap: this.#heap,
      tasks: this.#index.tasks,
      isRecent: (tenant, token) => this.#mail.isRecent(tenant, token),
      due: (subject) => this.#addDue(subject),
      ...(options.observer ? { handedOut: (attempt) => options.observer!.handedOut(attempt) } : {}),
    });
    this.#heartbeats = new Heartbeats({ claims: this.#claims, clock: this.#clock, heap: this.#heap, limits: this.#limits, isRecent: (tenant, token) => this.#mail.isRecent(tenant, token) });
  }

  get stats(): SchedulerStats {
    let poisoned = 0;
    for (const task of this.#index.tasks.values()) if (task.poisoned) poisoned++;
    return { tasks: this.#index.tasks.size, poisoned, ready: this.#claims.readyCount, timers: this.#index.timers.size, sessions: this.#claims.sessionCount };
  }

  /** What is ready to be handed out, by tenant and queue. */
  ready(): Iterable<ReadyCount> {
    return this.#claims.ready();
  }

  /** The workers that have a session, each named alike in every slice. */
  workers(): Iterable<string> {
    return this.#claims.workers();
  }

  // ── opening ───────────────────────────────────────────────────────────────────────────────────────────────────────

  /** Must be called, and awaited, before the first batch. */
  open(): Promise<void> {
    this.#opened = this.#load();
    return this.#opened;
  }

  /** Takes back the batch that did not commit: drops memory and reloads what is stored. */
  reset(): Promise<void> {
    this.#batchOpen = false;
    this.#woken = false;
    this.#stage.clear();
    this.#mail.takeBack();
    this.#superseded = [];
    this.#due.clear();
    this.#timers.clear();
    this.#heartbeats.clear();
    this.#index.clear();
    this.#claims.clear();
    this.#heap.clear();
    return this.open();
  }

  async #load(): Promise<void> {
    const [tasks, timers] = await Promise.all([this.#options.tasks.load(), this.#options.timers.load()]);
    const now = this.#clock.now();
    for (const row of tasks) {
      this.#order = Math.max(this.#order, row.order);
      const task = Task.loaded(row, 'unclaimed');
      this.#index.addTask(task);
      this.#restore(task, now);
    }
    for (const row of timers) {
      const timer = new Timer(row, true);
      this.#index.addTimer(timer);
      this.#heap.set(timer, row.dueMs);
    }
    this.#claims.flush();
    this.#arm();
    if (this.#mail.hasArrived) this.#wake();
  }

  #restore(task: Task, now: number): void {
    const { accepted, notBefore } = task.state;
    if (accepted) {
      this.#claims.accept(task, accepted.token);
      task.startAttempt(now);
      task.deadlineMs = accepted.deadline;
    } else if (notBefore > now) {
      task.status = 'waiting';
    } else if (this.#limits.reopenGraceMs === 0) {
      task.status = 'settling';
      return this.#place(task, now);
    } else {
      task.graceUntilMs = now + this.#limits.reopenGraceMs;
    }
    this.#heap.set(task, task.nextAlarmMs(this.#limits));
  }

  /** Before the process ends: hands out no more, ends the open polls. Answers and heartbeats still count. */
  drain(): void {
    this.#claims.drain();
  }

  /** Nothing sounds any more: the owner lets the slice go. */
  close(): void {
    this.drain();
    this.#disarm?.();
    this.#armedMs = -Infinity;
  }

  // ── the batch ─────────────────────────────────────────────────────────────────────────────────────────────────────

  receive(effects: readonly SchedulerEffect[]): void {
    for (const effect of effects) {
      if (effect.kind === 'scheduleTask') this.#schedule(effect);
      else if (effect.kind === 'cancelTask') this.#cancel(effect);
      else if (effect.kind === 'armTimer') this.#timers.start(effect);
      else if (effect.kind === 'disarmTimer') this.#timers.disarm(effect);
      else this.#dropRun(effect.run);
    }
  }

  /** Inputs for history, in the order in which they came about. `others`: how many inputs the batch has from elsewhere. */
  takeInputs(others = 0): Input[] {
    this.#openBatch(others);
    return this.#stage.takeInputs();
  }

  /** For compensation. */
  takeUndoClosings(): UndoClosing[] {
    this.#openBatch();
    return this.#stage.takeUndoClosings();
  }

  /** Closes the batch: what arrives from now on belongs to the next one. */
  takeChanges(): SchedulerChange[] {
    const changes = this.#stage.seal();
    this.#mail.seal();
    this.#batchOpen = false;
    // A call of `wake` during the batch may have been ignored by who was in the middle of it.
    this.#woken = false;
    if (this.#mail.hasArrived || this.#due.length > 0 || this.#timers.hasDue || this.#heartbeats.hasProgress) this.#wake();
    return changes;
  }

  /** All that `takeChanges` gave is durable. */
  committed(): void {
    const now = this.#clock.now();
    const { tasks, timers } = this.#stage.committed();
    for (const task of tasks) this.#place(task, now);
    for (const timer of timers) if (!timer.gone) this.#heap.set(timer, timer.row.dueMs);
    for (const { session, token } of this.#superseded) this.#claims.tellSuperseded(session, token);
    this.#superseded = [];
    this.#claims.flush();
    this.#mail.committed();
    this.#arm();
  }

  #openBatch(others = 0): void {
    if (this.#batchOpen) return;
    this.#batchOpen = true;
    this.#woken = false;
    // Before the answers: a failed attempt's last progress is for the next one.
    this.#heartbeats.takeProgress((task, progress) => this.#change(task, { ...task.state, progress }));
    const calls = this.#mail.take();
    for (const call of calls) this.#handle(call);
    for (const subject of this.#due.take(this.#limits.dueMaxPerBatch)) this.#handleDue(subject);
    this.#timers.fireDue(calls.reduce((sum, { answers }) => sum + answers.length, others));
    this.#claims.flush();
    this.#arm();
  }

  // ── effects ───────────────────────────────────────────────────────────────────────────────────────────────────────

  /** A task that is there already is a repetition of its effect (I4). */
  #schedule({ run, seq, role, name, input, options, bundle, workflowType, at, trace }: TaskSpec): void {
    const spec: TaskSpec = { run, seq, role, name, input, options, bundle, workflowType, at, trace };
    const task = Task.scheduled(spec, this.#order + 1);
    if (this.#index.tasks.has(task.key)) return;
    this.#order++;
    this.#index.addTask(task);
    this.#stage.touchTask(task);
  }

  #cancel({ run, seq }: { readonly run: RunKey; readonly seq: number }): void {
    const task = this.#index.tasks.get(idempotencyKeyOf({ run, seq, role: 'activity' }));
    if (!task || task.state.cancelRequested) return;
    this.#change(task, { ...task.state, cancelRequested: true });
    // Held, or perhaps held by a worker of an earlier epoch: it closes by how it really ends.
    if (task.status === 'held' || task.status === 'unclaimed') return;
    this.#close(task, cancelled(task.spec));
  }

  #dropRun(run: RunKey): void {
    for (const item of this.#index.ofRun(run)) {
      if (item.sort === 'timer') this.#timers.stop(item);
      else this.#forget(item, { how: 'dropped' });
    }
  }

  // ── closing and changing ──────────────────────────────────────────────────────────────────────────────────────────

  /** Invariant 3. */
  #close(task: Task, outcome: Outcome, how: AttemptEnding = outcome.status): void {
    const { run, seq, role, trace } = task.spec;
    const attempts = task.token === undefined && task.status !== 'unclaimed' ? task.state.attempt - 1 : task.state.attempt;
    this.#forget(task, { how, ...('error' in outcome ? { error: outcome.error } : {}) });
    if (role === 'undo') return this.#stage.addUndoClosing({ run, undoSeq: seq, outcome, attempts });
    this.#stage.addInput({ id: `${run.runId}/${seq}/closed`, ...run, at: this.#clock.now(), ...(trace === undefined ? {} : { trace }), kind: 'activityClosed', seq, outcome, attempts });
  }

  /** The task is no more. */
  #forget(task: Task, ending: AttemptEnd): void {
    this.#endAttempt(task, ending);
    task.status = 'closed';
    this.#heap.remove(task);
    this.#index.removeTask(task);
    this.#stage.touchTask(task);
  }

  /** Whoever holds it is told after the commit; one who has answered knows. */
  #endAttempt(task: Task, ending: AttemptEnd): void {
    if (task.token !== undefined) this.#options.observer?.attemptEnded(task.observed(), ending);
    if (task.session && !this.#mail.isRecent(task.spec.run.tenant, task.token!)) this.#superseded.push({ session: task.session, token: task.token! });
    this.#claims.end(task);
  }

  #change(task: Task, state: TaskState): void {
    task.state = state;
    this.#stage.touchTask(task);
  }

  #endWithout(task: Task, ending: Ending): void {
    const verdict = afterAttempt(task.spec, task.state, { ending, now: this.#clock.now(), random: this.#options.random, limits: this.#limits });
    if ('close' in verdict) return this.#close(task, verdict.close, ending.kind);
    this.#endAttempt(task, { how: ending.kind, ...('error' in ending ? { error: ending.error } : {}) });
    if (verdict.state.poisonedAt !== undefined && !task.poisoned) this.#options.observer?.poisoned(task.spec);
    task.status = 'settling';
    this.#heap.remove(task);
    const { accepted: _, ...state } = verdict.state;
    this.#change(task, state);
  }

  /** Where a task belongs whose change is durable. */
  #place(task: Task, now: number): void {
    if (task.status === 'held') {
      if (task.state.cancelRequested && task.toldMs === 0) this.#claims.tellCancel(task);
      return;
    }
    if (task.status === 'closed') this.#claims.forget(task);
    if (task.status !== 'settling') return;
    task.status = 'waiting';
    if (task.state.cancelRequested) this.#addDue(task);
    else if (task.state.notBefore <= now) this.#claims.enqueue(task);
    else this.#heap.set(task, task.nextAlarmMs(this.#limits));
  }

  // ── answers and heartbeats ────────────────────────────────────────────────────────────────────────────────────────

  override async poll(tenant: string, request: PollRequest, signal?: AbortSignal): Promise<PollResponse> {
    await this.#opened;
    const response = this.#claims.poll(tenant, request, signal);
    this.#arm();
    return response;
  }

  override answer(tenant: string, answers: readonly TaskAnswer[]): Promise<AnswerReceipt[]> {
    if (answers.length === 0) return Promise.resolve([]);
    return new Promise((resolve, reject) => {
      this.#mail.arrive({ tenant, answers, resolve, reject });
      this.#wake();
    });
  }

  override async heartbeat(tenant: string, requests: readonly HeartbeatRequest[]): Promise<HeartbeatResponse[]> {
    await this.#opened;
    const responses = requests.map((request) => this.#heartbeats.beat(tenant, request));
    if (this.#heartbeats.hasProgress) this.#wake();
    this.#arm();
    return responses;
  }

  #handle(call: AnswerCall): void {
    this.#mail.settle(call, call.answers.map((answer) => ({ token: answer.token, status: this.#take(call.tenant, answer) })));
  }

  /** The scheduler alone decides how an activity closes: by the newest token, once (I8). */
  #take(tenant: string, answer: TaskAnswer): AnswerReceipt['status'] {
    const { token } = answer;
    if (this.#mail.isRecent(tenant, token)) return this.#mail.receiptOf(answer);
    const task = this.#claims.find(tenant, token);
    if (!task) return 'superseded';
    this.#claims.seen(task);
    if (answer.kind === 'accepted') {
      this.#accept(task, token);
      return 'recorded';
    }
    this.#mail.remember(tenant, answer);
    // The newest attempt was really handed out, maybe in an earlier epoch.
    if (task.token === undefined) this.#claims.accept(task, token);
    if (answer.kind === 'completed') this.#close(task, { status: 'completed', ...(answer.value === undefined ? {} : { value: answer.value }) });
    else if (answer.kind === 'failed') this.#endWithout(task, answer);
    else if (task.state.cancelRequested) this.#close(task, cancelled(task.spec, answer.error));
    else this.#endWithout(task, { kind: 'failed', error: answer.error ?? { type: 'Cancelled', message: 'The attempt stopped without being asked to.' } });
    return 'recorded';
  }

  #accept(task: Task, token: string): void {
    if (task.state.accepted) return;
    const now = this.#clock.now();
    if (task.deadlineMs === Infinity) task.startAttempt(now);
    this.#claims.accept(task, token);
    task.heartbeatDeadlineMs = Infinity;
    this.#change(task, { ...task.state, accepted: { token, deadline: task.deadlineMs } });
    this.#heap.set(task, task.nextAlarmMs(this.#limits));
  }

  // ── time ──────────────────────────────────────────────────────────────────────────────────────────────────────────

  #arm(): void {
    const atMs = this.#heap.peek()?.atMs ?? Infinity;
    if (atMs >= this.#armedMs) return;
    this.#disarm?.();
    this.#armedMs = atMs;
    this.#disarm = this.#clock.at(atMs, () => this.#sound());
  }

  #sound(): void {
    this.#armedMs = Infinity;
    this.#disarm = undefined;
    const now = this.#clock.now();
    for (let alarm = this.#heap.peek(); alarm && alarm.atMs <= now; alarm = this.#heap.peek()) {
      this.#heap.remove(alarm);
      if (alarm.sort === 'poller') this.#claims.expire(alarm);
      else if (alarm.sort === 'session') this.#claims.sound(alarm);
      else this.#addDue(alarm);
    }
    this.#arm();
  }

  #addDue(subject: Task | Timer | Session): void {
    if (subject.sort === 'timer') this.#timers.addDue(subject);
    else this.#due.push(subject);
    this.#wake();
  }

  #handleDue(subject: Task | Session): void {
    if (subject.sort === 'task') return this.#taskDue(subject);
    for (const task of this.#claims.close(subject)) this.#endWithout(task, { kind: 'crashed', why: 'went silent' });
  }

  #taskDue(task: Task): void {
    const now = this.#clock.now();
    const { spec, status } = task;
    if (status === 'closed' || status === 'settling') return;
    if (scheduleToCloseDeadline(spec) <= now) return this.#close(task, timedOut(spec, task.state, { timeout: 'scheduleToClose', why: `did not close within ${spec.options.scheduleToCloseTimeoutMs} ms` }));
    if (task.suspendAtMs(this.#limits) <= now) this.#suspendRun(task);
    if (status === 'held') {
      task.putOffOverdue(now, this.#limits);
      if (task.deadlineMs <= now) return this.#endWithout(task, { kind: 'timedOut' });
      if (task.heartbeatDeadlineMs <= now) return this.#endWithout(task, { kind: 'crashed', why: `sent no heartbeat for ${spec.options.heartbeatTimeoutMs} ms` });
    } else if (task.state.cancelRequested && (status !== 'unclaimed' || task.graceUntilMs <= now)) {
      return this.#close(task, cancelled(spec));
    } else if (status === 'unclaimed' && task.graceUntilMs <= now) {
      return this.#handOutAnew(task);
    } else if (status === 'waiting' && task.state.notBefore <= now) {
      return this.#claims.enqueue(task);
    }
    this.#heap.set(task, task.nextAlarmMs(this.#limits));
  }

  /** Durable before it happens: no later epoch may take an earlier one's token for the newest. */
  #handOutAnew(task: Task): void {
    task.status = 'settling';
    this.#heap.remove(task);
    this.#change(task, { ...task.state, handedOutAnewIn: this.#options.epoch });
  }

  /** The task stays, with its delays; the run's operator is asked (§10). */
  #suspendRun(task: Task): void {
    const { run, seq, name, trace } = task.spec;
    const suspensions = (task.state.suspensions ?? 0) + 1;
    this.#change(task, { ...task.state, suspensions });
    const message = `activity "${name}" (#${seq}) has crashed its worker ${task.state.crashes} times`;
    this.#stage.addInput({ id: `${run.runId}/${seq}/poisoned/${suspensions}`, ...run, at: this.#clock.now(), ...(trace === undefined ? {} : { trace }), kind: 'suspend', poisoned: { seq, message } });
  }

  #wake(): void {
    if (this.#woken) return;
    this.#woken = true;
    this.#options.wake();
  }
}

/** Unlike from one life of the slice to the next, and from one hand-out to the next. */
const createNonce = (random: () => number): (() => string) => {
  let count = 0;
  return () => `${(count++).toString(36)}-${Math.floor(random() * 2 ** 52).toString(36)}`;
};
