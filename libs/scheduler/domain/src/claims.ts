import { LIMITS, PerdureError, type PollRequest, type PollResponse, type TaskEnvelope } from '@perdure/contract';
import type { Clock } from '@perdure/clock';
import type { GuardName, Guards } from '@perdure/guards';
import type { AlarmHeap } from './alarm-heap.js';
import { NewestTokens } from './newest-tokens.js';
import { ReadyQueue } from './ready-queue.js';
import type { SchedulerLimits } from './scheduler-limits.js';
import type { ObservedAttempt } from './scheduler-observer.js';
import { Poller, Session, type Wants } from './session.js';
import type { Task } from './task.js';
import type { Timer } from './timer.js';
import { formatToken, parseToken } from './token.js';

export interface ClaimsOptions {
  readonly clock: Clock;
  /** The slice's number. */
  readonly slice: number;
  readonly epoch: number;
  readonly nonce: () => string;
  readonly limits: SchedulerLimits;
  readonly guards: Guards;
  readonly heap: AlarmHeap<Task | Timer | Session | Poller>;
  readonly tasks: ReadonlyMap<string, Task>;
  /** The token's answer was recorded lately. */
  readonly isRecent: (tenant: string, token: string) => boolean;
  /** Gives the trace context for the attempt's worker. */
  readonly handedOut?: (attempt: ObservedAttempt) => string | undefined;
  /** Something about it changes rows: handle it inside a batch. */
  readonly due: (subject: Task | Session) => void;
}

export interface ReadyCount {
  readonly tenant: string;
  readonly queue: string;
  /** Only the surgical pool takes them. */
  readonly poisoned: boolean;
  readonly count: number;
}

/**
 * Who holds which attempt: ready queues, worker sessions and their open polls. All of it is memory (design §8, §9).
 *
 * 1. Only committed tasks are in a ready queue, so what is handed out is durable: the row, and for attempt ≥ 2 its number (I4, §9).
 * 2. A task is in at most one place: in a ready queue, or held by one session.
 * 3. Nothing here changes a row. What must is given to `due` and happens inside a batch.
 * 4. The newest token of the current attempt speaks for the task; it does so even after the attempt went back, until it is handed out anew.
 */
export class Claims {
  readonly #options: ClaimsOptions;
  readonly #ready = new Map<string, ReadyQueue>();
  readonly #waiting = new Map<string, Set<Poller>>();
  readonly #touched = new Set<string>();
  readonly #sessions = new Map<string, Session>();
  readonly #byToken = new Map<string, Task>();
  readonly #newest = new NewestTokens();
  #rank = 0;
  #rotation = 0;
  #draining = false;

  constructor(options: ClaimsOptions) {
    this.#options = options;
  }

  get readyCount(): number {
    let count = 0;
    for (const { size } of this.#ready.values()) count += size;
    return count;
  }

  /** What is ready, by tenant and queue. */
  *ready(): Generator<ReadyCount> {
    for (const [key, { size }] of this.#ready) {
      const [tenant, queue] = key.split('\u0000') as [string, string];
      yield { tenant, queue: queue.replace(POISONED, ''), poisoned: queue.endsWith(POISONED), count: size };
    }
  }

  /** Those that poll, by tenant and name. */
  *workers(): Generator<string> {
    for (const { tenant, worker } of this.#sessions.values()) yield `${tenant}\u0000${worker}`;
  }

  get sessionCount(): number {
    return this.#sessions.size;
  }

  // ── tasks ─────────────────────────────────────────────────────────────────────────────────────────────────────────

  /** The task that the token speaks for now. */
  find(tenant: string, token: string, guard: 'closingByToken' | 'progressByToken' = 'closingByToken'): Task | undefined {
    const task = this.#byToken.get(token) ?? this.#findOlder(token, guard);
    return task && task.spec.run.tenant === tenant && task.status !== 'settling' ? task : undefined;
  }

  /** A token of an earlier life of the slice holds until its attempt is handed out anew, and never after (§9). */
  #findOlder(token: string, guard: GuardName): Task | undefined {
    const parsed = parseToken(token);
    const task = parsed && this.#options.tasks.get(parsed.key);
    const isNewest = task && task.token === undefined && parsed.epoch <= this.#options.epoch && parsed.attempt === task.state.attempt && parsed.epoch >= (task.state.handedOutAnewIn ?? 0) && !this.#newest.isOlder(task.key, { token, attempt: parsed.attempt });
    return isNewest || !this.#options.guards.has(guard) ? task : undefined;
  }

  /** The attempt may be handed out: at the end of its queue. Call `flush` when all are in. */
  enqueue(task: Task): void {
    task.status = 'ready';
    this.#setAlarm(task);
    this.#queueOf(task).push(task, this.#rank++);
  }

  /** Gives what is ready to the polls that wait for it. */
  flush(): void {
    for (const key of this.#touched) this.#serve(key);
    this.#touched.clear();
  }

  /** Takes the task out of its queue or its session's hands; its token stays. */
  detach(task: Task): void {
    if (task.queued) {
      const key = queueKey(task);
      this.#ready.get(key)!.remove(task);
      this.#forgetEmpty(key);
    }
    const { session } = task;
    if (!session) return;
    task.session = undefined;
    session.held.delete(task);
    session.cancelling.delete(task);
  }

  /** The attempt is over: its token speaks for nothing any more. If its worker still has it, the worker is told by `tellSuperseded`. */
  end(task: Task): void {
    this.detach(task);
    if (task.token !== undefined) this.#byToken.delete(task.token);
    task.token = undefined;
    task.confirmed = false;
    task.toldMs = 0;
    task.deadlineMs = task.heartbeatDeadlineMs = task.graceUntilMs = Infinity;
  }

  /** An attempt that was accepted for completion through the API: no session answers for it, its token holds. */
  accept(task: Task, token: string): void {
    this.detach(task);
    task.status = 'held';
    this.#setToken(task, token);
  }

  /** The task's closing is durable. */
  forget(task: Task): void {
    this.#newest.forget(task.key);
  }

  #setToken(task: Task, token: string): void {
    task.token = token;
    this.#byToken.set(token, task);
    this.#newest.note(task.key, token);
  }

  tellCancel(task: Task): void {
    const { session } = task;
    if (!session) return;
    session.cancelling.add(task);
    this.#nudge(session);
  }

  tellSuperseded(session: Session, token: string): void {
    if (!this.#sessions.has(session.key)) return;
    session.superseded.add(token);
    this.#nudge(session);
  }

  // ── polls ─────────────────────────────────────────────────────────────────────────────────────────────────────────

  poll(tenant: string, request: PollRequest, signal?: AbortSignal): Promise<PollResponse> {
    if (this.#draining) throw new PerdureError('draining', 'The scheduler hands out no more tasks; another instance does.');
    const session = this.#sessionOf(tenant, request);
    if (session.poller) this.#respond(session.poller, []);
    this.#listHeld(session, request.holding);
    this.flush();
    const poller = wantsOf(tenant, request);
    return new Promise((resolve) => this.#open(new Poller(session, poller, resolve), request.waitMs, signal));
  }

  #open(poller: Poller, waitMs: number, signal: AbortSignal | undefined): void {
    const { session } = poller;
    const tasks = signal?.aborted ? [] : this.#takeFor(poller, poller.slots);
    session.poller = poller;
    const hasWork = poller.peek && poller.queues.some((key) => this.#ready.get(key)?.has(poller.names));
    if (tasks.length > 0 || hasWork || this.#mustTell(session) || waitMs <= 0 || signal?.aborted) return this.#respond(poller, tasks);
    for (const key of poller.slots > 0 || poller.peek ? poller.queues : []) {
      let waiting = this.#waiting.get(key);
      if (!waiting) this.#waiting.set(key, (waiting = new Set()));
      waiting.add(poller);
    }
    if (signal) this.#endWith(poller, signal);
    this.#options.heap.set(poller, this.#options.clock.now() + Math.min(waitMs, LIMITS.longPollMs));
    this.#setSessionAlarm(session);
  }

  /** The listener must not outlive the poll: a worker in the same process may use one signal for all of its polls. */
  #endWith(poller: Poller, signal: AbortSignal): void {
    const expire = (): void => this.expire(poller);
    signal.addEventListener('abort', expire, { once: true });
    poller.unlisten = () => signal.removeEventListener('abort', expire);
  }

  /** Its time is up, or its worker has gone. */
  expire(poller: Poller): void {
    if (poller.session.poller === poller) this.#respond(poller, []);
  }

  #respond(poller: Poller, tasks: readonly Task[]): void {
    const { session } = poller;
    const now = this.#options.clock.now();
    session.poller = undefined;
    poller.unlisten?.();
    this.#options.heap.remove(poller);
    for (const key of poller.queues) {
      const waiting = this.#waiting.get(key);
      waiting?.delete(poller);
      if (waiting?.size === 0) this.#waiting.delete(key);
    }
    const envelopes = tasks.map((task) => this.#handOut(session, task, now));
    session.seenMs = now;
    if (tasks.length > 0) session.confirmByMs = now + this.#options.limits.confirmTimeoutMs;
    session.unconfirmed = [...tasks];
    poller.respond({ tasks: envelopes, cancel: this.#takeTellings(session, now) });
    this.#setSessionAlarm(session);
  }

  #takeFor(poller: Poller, count: number): Task[] {
    const tasks: Task[] = [];
    const { queues } = poller;
    const start = this.#rotation++;
    for (let i = 0; i < queues.length && tasks.length < count; i++) {
      const key = queues[(start + i) % queues.length]!;
      const ready = this.#ready.get(key);
      for (let task: Task | undefined; tasks.length < count && (task = ready?.take(poller.names)); ) tasks.push(task);
      this.#forgetEmpty(key);
    }
    return tasks;
  }

  /** Shares what is ready among the polls that wait, so that one worker does not take all. */
  #serve(key: string): void {
    const ready = this.#ready.get(key);
    const waiting = this.#waiting.get(key);
    if (!ready || !waiting) return;
    for (const poller of waiting) if (poller.peek && ready.has(poller.names)) this.#respond(poller, []);
    let left = waiting.size;
    for (const poller of waiting) {
      if (ready.size === 0) break;
      const share = Math.ceil(ready.size / left--);
      const tasks: Task[] = [];
      for (let task: Task | undefined; tasks.length < Math.min(share, poller.slots) && (task = ready.take(poller.names)); ) tasks.push(task);
      if (tasks.length > 0) this.#respond(poller, tasks);
    }
    this.#forgetEmpty(key);
  }

  /** Queue names are the users' own and may be many. */
  #forgetEmpty(key: string): void {
    if (this.#ready.get(key)?.size === 0) this.#ready.delete(key);
  }

  #handOut(session: Session, task: Task, now: number): TaskEnvelope {
    const { spec, state, key } = task;
    if (task.token !== undefined) this.#byToken.delete(task.token);
    const { slice, epoch, nonce, handedOut } = this.#options;
    const token = formatToken({ slice, epoch, attempt: state.attempt, key }, nonce());
    this.#setToken(task, token);
    this.#give(session, task, now);
    task.startedMs = now;
    const trace = handedOut ? handedOut(task.observed()) : spec.trace;
    const { run, seq, role, name, input, bundle, workflowType } = spec;
    const { queue, heartbeatTimeoutMs } = spec.options;
    return { token, run, seq, role, name, input, bundle, workflowType, queue, attempt: state.attempt, epoch, idempotencyKey: key, deadline: task.deadlineMs, heartbeatTimeoutMs, progress: state.progress, trace };
  }

  #give(session: Session, task: Task, now: number): void {
    task.status = 'held';
    task.session = session;
    task.confirmed = false;
    task.listed = session.polls;
    session.held.add(task);
    task.startAttempt(now);
    this.#setAlarm(task);
  }

  // ── sessions ──────────────────────────────────────────────────────────────────────────────────────────────────────

  #sessionOf(tenant: string, request: PollRequest): Session {
    const key = `${tenant}\u0000${request.worker}\u0000${request.session}`;
    const now = this.#options.clock.now();
    let session = this.#sessions.get(key);
    if (!session) {
      if (this.#sessions.size >= this.#options.limits.sessionsMax) throw new PerdureError('overloaded', `There are ${this.#sessions.size} worker sessions, which is the limit.`);
      session = new Session({ key: key, tenant: tenant, seenMs: now }, request);
      this.#replaceOlder(session);
      this.#sessions.set(key, session);
    }
    session.seenMs = now;
    session.polls++;
    return session;
  }

  /** The worker's process has been started anew, so what its earlier one held is lost; no need to wait for its silence. */
  #replaceOlder({ tenant, worker, id }: Session): void {
    for (const other of this.#sessions.values()) {
      if (other.worker !== worker || other.tenant !== tenant || other.id >= id) continue;
      other.replaced = true;
      if (other.poller) this.#respond(other.poller, []);
      this.#options.due(other);
    }
  }

  /** The worker's word on what it holds: the rest goes back and counts as nothing. */
  #listHeld(session: Session, holding: readonly string[]): void {
    const now = this.#options.clock.now();
    for (const token of holding) {
      const task = this.find(session.tenant, token);
      if (!task) {
        const isTheirs = this.#byToken.get(token)?.spec.run.tenant === session.tenant || this.#options.isRecent(session.tenant, token);
        if (!isTheirs) session.superseded.add(token);
        continue;
      }
      // An accepted attempt has no session, and needs none.
      if (task.session !== session && !task.state.accepted) this.#adopt(session, task, { token, now });
      task.confirmed = true;
      task.listed = session.polls;
    }
    for (const task of session.held) if (task.listed !== session.polls) this.#giveBack(task);
    session.unconfirmed = [];
    session.confirmByMs = Infinity;
  }

  /** It went back, or the slice was opened anew, and the worker has it after all. */
  #adopt(session: Session, task: Task, { token, now }: { readonly token: string; readonly now: number }): void {
    this.detach(task);
    this.#setToken(task, token);
    this.#give(session, task, now);
    if (task.state.cancelRequested) session.cancelling.add(task);
  }

  #giveBack(task: Task): void {
    if (task.status !== 'held') return;
    this.detach(task);
    task.confirmed = false;
    task.deadlineMs = task.heartbeatDeadlineMs = Infinity;
    task.status = 'ready';
    if (task.state.cancelRequested) return this.#options.due(task);
    this.#setAlarm(task);
    this.#queueOf(task).unshift(task);
  }

  /** A heartbeat or an answer is as good as a poll to show that the worker lives. */
  seen(task: Task): void {
    task.confirmed = true;
    const { session } = task;
    if (session) session.seenMs = this.#options.clock.now();
  }

  /** Its alarm sounded. A crash changes rows, so it is left to `due`; the unconfirmed go back here. */
  sound(session: Session): void {
    const { limits, clock } = this.#options;
    const now = clock.now();
    if (now - session.atMs > limits.lateAlarmMs) {
      // The server itself was held up: what the worker said meanwhile may not have been read yet.
      if (session.confirmByMs !== Infinity) session.confirmByMs = now + limits.confirmTimeoutMs;
      session.seenMs = now;
    }
    if (session.confirmByMs <= now) {
      for (const task of session.unconfirmed) if (task.session === session && !task.confirmed) this.#giveBack(task);
      session.unconfirmed = [];
      session.confirmByMs = Infinity;
      this.flush();
    }
    if (this.isSilent(session)) this.#options.due(session);
    else this.#setSessionAlarm(session);
  }

  isSilent(session: Session): boolean {
    return session.replaced || (!session.poller && session.seenMs + this.#options.limits.sessionTimeoutMs <= this.#options.clock.now());
  }

  /** The session has crashed: it is forgotten. Returns the attempts that it had confirmed; the others go back. */
  close(session: Session): Task[] {
    if (!this.isSilent(session)) {
      this.#setSessionAlarm(session);
      return [];
    }
    if (session.poller) this.#respond(session.poller, []);
    this.#options.heap.remove(session);
    if (this.#sessions.get(session.key) === session) this.#sessions.delete(session.key);
    const crashed: Task[] = [];
    for (const task of session.held) {
      if (task.confirmed) crashed.push(task);
      else this.#giveBack(task);
    }
    this.flush();
    return crashed;
  }

  /** Hands out no more; open polls end. */
  drain(): void {
    this.#draining = true;
    this.#endPolls();
  }

  /** Forgets all. Open polls end, so that the workers list anew what they hold. */
  clear(): void {
    this.#ready.clear();
    this.#touched.clear();
    this.#byToken.clear();
    this.#endPolls();
    this.#waiting.clear();
    this.#sessions.clear();
  }

  #endPolls(): void {
    for (const { poller } of [...this.#sessions.values()]) if (poller) this.#respond(poller, []);
  }

  // ── tellings ──────────────────────────────────────────────────────────────────────────────────────────────────────

  #nudge(session: Session): void {
    if (session.poller && this.#mustTell(session)) this.#respond(session.poller, []);
  }

  #mustTell(session: Session): boolean {
    if (session.superseded.size > 0) return true;
    const tellBefore = this.#options.clock.now() - this.#options.limits.retellCancelMs;
    for (const task of session.cancelling) if (task.toldMs <= tellBefore) return true;
    return false;
  }

  #takeTellings(session: Session, now: number): PollResponse['cancel'] {
    if (session.superseded.size === 0 && session.cancelling.size === 0) return [];
    const cancel: PollResponse['cancel'][number][] = [];
    for (const token of session.superseded) cancel.push({ token, reason: 'superseded' });
    session.superseded.clear();
    for (const task of session.cancelling) {
      cancel.push({ token: task.token!, reason: 'cancelled' });
      task.toldMs = now;
    }
    return cancel;
  }

  #queueOf(task: Task): ReadyQueue {
    const key = queueKey(task);
    this.#touched.add(key);
    let queue = this.#ready.get(key);
    if (!queue) this.#ready.set(key, (queue = new ReadyQueue()));
    return queue;
  }

  #setAlarm(task: Task): void {
    this.#options.heap.set(task, task.nextAlarmMs(this.#options.limits));
  }

  #setSessionAlarm(session: Session): void {
    const silentAt = session.poller ? Infinity : session.seenMs + this.#options.limits.sessionTimeoutMs;
    this.#options.heap.set(session, Math.min(silentAt, session.confirmByMs));
  }
}

const POISONED = '\u0001';

const queueKey = ({ spec, poisoned }: Task): string => `${spec.run.tenant}\u0000${spec.options.queue}${poisoned ? POISONED : ''}`;

const wantsOf = (tenant: string, { queues, activities, slots, surgical, holding, peek = false }: PollRequest): Wants => {
  const room = Math.min(Math.max(0, slots), LIMITS.pollSlotsMax);
  const one = holding.length > 0 ? 0 : Math.min(1, room);
  return {
    queues: [...new Set(queues)].map((queue) => `${tenant}\u0000${queue}${surgical ? POISONED : ''}`),
    names: activities && new Set(activities),
    slots: surgical ? one : room,
    peek,
  };
};
