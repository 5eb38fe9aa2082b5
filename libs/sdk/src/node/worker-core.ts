import type { Clock } from '@perdure/clock';
import { LIMITS, toPerdureError, type AnswerReceipt, type HeartbeatResponse, type PollRequest, type PollResponse, type TaskEnvelope } from '@perdure/contract';
import type { ActivityFunction } from './activity-registry.js';
import { AnswerOutbox } from './answer-outbox.js';
import { Attempt, type StopReason } from './attempt.js';
import { Backoff, pauseUntil } from './backoff.js';
import { HeartbeatOutbox } from './heartbeat-outbox.js';
import { logFieldsOf, type WorkerLog } from './log-fields.js';
import { PollLost, type WorkerTransport } from './worker-transport.js';

export interface WorkerCoreOptions {
  readonly transport: WorkerTransport;
  readonly activities: ReadonlyMap<string, ActivityFunction>;
  readonly queues: readonly string[];
  readonly slots: number;
  readonly identity: string;
  /** Rises with each start of the process. */
  readonly session: string;
  readonly surgical?: boolean;
  readonly clock: Clock;
  readonly random: () => number;
  readonly log: WorkerLog;
}

/** How long the server may hold a poll open. */
const POLL_WAIT_MS = 20_000;
/** A poll not answered so long after that is lost: its connection is half open. */
const POLL_LOST_MS = 5_000;
/** A worker that cannot take more tells so often that it lives, and hears so often what should stop. */
const BUSY_POLL_MS = 1_000;
/** What a final error of a poll cannot be mended by waiting: the credential or the request is wrong. */
const FATAL = new Set(['unauthenticated', 'forbidden', 'invalid-request']);
/** Has a line of its own. */
const UNKNOWN_ACTIVITY = 'UnknownActivity';

/**
 * The worker, whatever it talks through.
 *
 * 1. One poll at a time, so that what a response brought is known when the next poll says what is held (design §9).
 * 2. An attempt is listed as held until its answer is acknowledged, or it is told to be superseded: it is never taken for lost while it is not.
 * 3. An attempt begins when the poll that lists it is on its way: if it ends the process, the server knows which one did.
 * 4. An attempt runs once, however often the server goes away: it keeps running, and its answer waits.
 */
export class WorkerCore {
  readonly #options: WorkerCoreOptions;
  readonly #answers: AnswerOutbox;
  readonly #heartbeats: HeartbeatOutbox;
  readonly #backoff: Backoff;
  /** Invariant 2. */
  readonly #held = new Map<string, Attempt>();
  /** Those whose function has not ended; each takes a slot. */
  readonly #running = new Set<Attempt>();
  /** Those of them that have not begun. */
  readonly #received: Attempt[] = [];
  #stopping = false;
  /** The open poll, or the pause until the next one. */
  #polling = new AbortController();
  #slotFreed = new AbortController();
  #ended: (() => void) | undefined;
  #run: Promise<void> | undefined;

  constructor(options: WorkerCoreOptions) {
    this.#options = options;
    const { transport, clock, random, log } = options;
    this.#answers = new AnswerOutbox({ transport, clock, random, log, onReceipt: (receipt) => this.#acknowledged(receipt) });
    this.#heartbeats = new HeartbeatOutbox({ transport, clock, log, onResponse: (attempt, response) => this.#beaten(attempt, response) });
    this.#backoff = new Backoff(clock, random);
  }

  get running(): number {
    return this.#running.size;
  }

  /**
   * Works until `shutdown`.
   * @throws PerdureError `unauthenticated`, `forbidden` or `invalid-request` when the server will not have this worker
   */
  run(): Promise<void> {
    return (this.#run ??= this.#work());
  }

  /** Takes no more, lets what runs finish, hands back the rest. What has not ended after `graceMs` is asked to stop and left. */
  async shutdown(graceMs = 30_000): Promise<void> {
    this.#stopPolling();
    const { clock } = this.#options;
    const over = new AbortController();
    const cancel = clock.at(clock.now() + graceMs, () => over.abort());
    await this.#drained(over.signal);
    cancel();
    for (const attempt of this.#running) attempt.stop('shutdown');
    this.#answers.close();
    await this.#run?.catch(() => undefined);
    await this.#handBack();
  }

  // ── polling ───────────────────────────────────────────────────────────────────────────────────────────────────────

  async #work(): Promise<void> {
    try {
      while (!this.#stopping) await this.#pollOnce();
    } catch (thrown) {
      this.#stopPolling();
      throw thrown;
    }
  }

  #stopPolling(): void {
    this.#stopping = true;
    this.#polling.abort();
    this.#slotFreed.abort();
  }

  async #pollOnce(): Promise<void> {
    const free = this.#free();
    const response = await this.#poll(free === 0 ? 0 : POLL_WAIT_MS);
    if (!response) return;
    this.#tellStops(response);
    for (const task of response.tasks) this.#receive(task);
    // With no slot free a long poll could bring nothing; but the tasks just received must be confirmed at once.
    if (free === 0 && this.#free() === 0) await this.#pauseUntilFree();
  }

  async #poll(waitMs: number): Promise<PollResponse | undefined> {
    const { log } = this.#options;
    try {
      const response = await this.#ask(this.#request(waitMs));
      this.#backoff.succeeded();
      // Received too late to be started: not listed in the next poll, they go back.
      return this.#stopping ? undefined : response;
    } catch (thrown) {
      if (this.#stopping) return undefined;
      const error = toPerdureError(thrown);
      if (FATAL.has(error.code)) throw error;
      if (this.#backoff.isNews) log(`no answer to a poll, trying again: ${error.message}`);
      this.#polling = new AbortController();
      await this.#backoff.pause(this.#polling.signal);
      return undefined;
    }
  }

  /** Given up by `#polling`, and when the answer is too late. */
  async #ask(request: PollRequest): Promise<PollResponse> {
    const { transport, clock } = this.#options;
    const polling = (this.#polling = new AbortController());
    const cancel = clock.at(clock.now() + request.waitMs + POLL_LOST_MS, () => polling.abort(new PollLost()));
    try {
      const response = transport.poll(request, polling.signal);
      this.#begin();
      return await response;
    } finally {
      cancel();
    }
  }

  #request(waitMs: number, slots = this.#free()): PollRequest {
    const { identity, session, queues, surgical } = this.#options;
    return { worker: identity, session, queues, slots, holding: [...this.#held.keys()], waitMs, ...(surgical ? { surgical } : {}) };
  }

  #free(): number {
    return Math.max(0, Math.min(this.#options.slots, LIMITS.pollSlotsMax) - this.#running.size);
  }

  #pauseUntilFree(): Promise<void> {
    const { clock } = this.#options;
    this.#slotFreed = new AbortController();
    return pauseUntil(clock, clock.now() + BUSY_POLL_MS, this.#slotFreed.signal);
  }

  // ── attempts ──────────────────────────────────────────────────────────────────────────────────────────────────────

  #receive(task: TaskEnvelope): void {
    const attempt = new Attempt(task, (beating) => this.#heartbeats.add(beating));
    this.#held.set(task.token, attempt);
    this.#running.add(attempt);
    this.#received.push(attempt);
  }

  /** Invariant 3. */
  #begin(): void {
    for (const attempt of this.#received.splice(0)) void this.#attempt(attempt);
  }

  async #attempt(attempt: Attempt): Promise<void> {
    const { task } = attempt;
    const run = this.#options.activities.get(task.name) ?? this.#unknown(task);
    const { kind, json, error } = await attempt.run(run);
    if (error && error.type !== UNKNOWN_ACTIVITY) this.#options.log(`activity ${task.name} failed (attempt ${task.attempt}): ${error.type}: ${error.message}`, logFieldsOf(task));
    this.#heartbeats.remove(attempt);
    // Superseded meanwhile: nobody waits for the answer.
    if (this.#held.has(attempt.token)) {
      if (attempt.unsent && kind === 'failed') await this.#heartbeats.flush(attempt);
      this.#answers.add(attempt.token, json);
    }
    this.#running.delete(attempt);
    // Aborting what is aborted already still makes an error, with its stack.
    if (!this.#slotFreed.signal.aborted) this.#slotFreed.abort();
    if (this.#running.size === 0) this.#ended?.();
  }

  /** Tried again, since a newer worker may have it: activities and workflows are not deployed in one instant. */
  #unknown(task: TaskEnvelope): ActivityFunction {
    const known = [...this.#options.activities.keys()].sort().join(', ');
    const message = `This worker ("${this.#options.identity}") has no activity "${task.name}"; it has: ${known}.`;
    this.#options.log(message, logFieldsOf(task));
    return () => {
      const error = Object.assign(new Error(message), { code: 'unknown-activity' });
      error.name = UNKNOWN_ACTIVITY;
      throw error;
    };
  }

  #acknowledged({ token, status }: AnswerReceipt): void {
    const attempt = this.#held.get(token);
    if (status === 'superseded') this.#options.log(`an answer came too late: ${token}`, attempt && logFieldsOf(attempt.task));
    this.#held.delete(token);
  }

  #beaten(attempt: Attempt, { status }: HeartbeatResponse): void {
    if (status !== 'ok') this.#stopAttempt(attempt, status);
  }

  #tellStops({ cancel }: PollResponse): void {
    for (const { token, reason } of cancel) {
      const attempt = this.#held.get(token);
      if (attempt) this.#stopAttempt(attempt, reason);
    }
  }

  #stopAttempt(attempt: Attempt, reason: StopReason): void {
    if (reason === 'superseded') this.#held.delete(attempt.token);
    attempt.stop(reason);
  }

  // ── the end ───────────────────────────────────────────────────────────────────────────────────────────────────────

  /** Meanwhile the session is kept alive, so that what still runs is not taken for crashed. */
  async #drained(over: AbortSignal): Promise<void> {
    const { clock } = this.#options;
    const ended = new AbortController();
    this.#ended = () => ended.abort();
    over.addEventListener('abort', this.#ended, { once: true });
    over.addEventListener('abort', () => this.#polling.abort(), { once: true });
    while (this.#running.size > 0 && !over.aborted) {
      const response = await this.#ask(this.#request(0, 0)).catch(() => undefined);
      if (response) this.#tellStops(response);
      if (this.#running.size > 0) await pauseUntil(clock, clock.now() + BUSY_POLL_MS, ended.signal);
    }
    const given = new Promise<void>((resolve) => over.addEventListener('abort', () => resolve(), { once: true }));
    if (!over.aborted) await Promise.race([this.#answers.whenEmpty(), given]);
  }

  /** Holding nothing: whatever the server thinks is here goes to another worker at once. */
  async #handBack(): Promise<void> {
    this.#received.length = 0;
    await this.#ask({ ...this.#request(0, 0), holding: [] }).catch((thrown: unknown) => this.#options.log(`the rest could not be handed back: ${toPerdureError(thrown).message}`));
  }
}
