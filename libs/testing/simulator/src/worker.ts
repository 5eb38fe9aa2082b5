import type { AnswerReceipt, HeartbeatRequest, HeartbeatResponse, TaskAnswer, TaskEnvelope } from '@perdure/contract';
import type { TaskDesk } from '@perdure/scheduler';
import type { Faults } from './faults.js';
import { progressOf } from './hand-outs.js';
import type { Kernel } from './kernel.js';
import { endOf, notYetOf, type Act, type Tenant } from './program.js';
import { SimProcess } from './sim-process.js';
import type { Tokens } from './tokens.js';

const POLL_MS = 20_000;
const SLOTS = 4;
/** A heartbeat that is not answered by then is given up; the next one is due. */
const BEAT_PATIENCE_MS = 600;

/** Where a worker's calls end. */
export interface Desk {
  poll(tenant: string, request: Parameters<TaskDesk['poll']>[1]): ReturnType<TaskDesk['poll']>;
  answer(tenant: string, answers: readonly TaskAnswer[]): Promise<readonly AnswerReceipt[]>;
  heartbeat(tenant: string, requests: readonly HeartbeatRequest[]): Promise<readonly HeartbeatResponse[]>;
}

export interface WorkerOptions {
  readonly kernel: Kernel;
  readonly faults: Faults;
  readonly desk: Desk;
  readonly tenant: Tenant;
  readonly name: string;
  readonly isSurgical?: boolean;
  /** The activity has had its effect. */
  readonly done: (task: TaskEnvelope) => void;
  /** Completes activities from outside, whatever becomes of workers. */
  readonly outside: SimProcess;
  readonly tokens: Tokens;
}

interface Held {
  isCancelled: boolean;
  readonly forget: () => void;
}

/** A pulling worker: it loses answers, is slow, and dies; then it comes back as a new session. */
export class Worker {
  readonly #options: WorkerOptions;
  #session = 0;

  constructor(options: WorkerOptions) {
    this.#options = options;
    this.#start();
  }

  #start(): void {
    const { kernel, name, faults } = this.#options;
    const session = String(++this.#session).padStart(4, '0');
    const process = new SimProcess(kernel, `${name}.${session}`, faults);
    void this.#pollOn(process, session);
  }

  async #pollOn(process: SimProcess, session: string): Promise<void> {
    const { isSurgical = false, desk, tenant, name } = this.#options;
    const holding = new Map<string, Held>();
    while (process.isAlive) {
      try {
        const slots = (isSurgical ? 1 : SLOTS) - holding.size;
        const request = { worker: name, session, queues: ['default'], slots, holding: [...holding.keys()], waitMs: slots > 0 ? POLL_MS : 1_000, surgical: isSurgical };
        const { tasks, cancel } = await process.call(() => desk.poll(tenant, request), POLL_MS + 2_000);
        for (const { token, reason } of cancel) {
          const held = holding.get(token);
          // Who is superseded forgets it; some go on, and answer as zombies.
          if (reason === 'superseded') held?.forget();
          else if (held) held.isCancelled = true;
        }
        for (const task of tasks) {
          const held = { isCancelled: false, forget: () => void holding.delete(task.token) };
          holding.set(task.token, held);
          void this.#work(process, task, held).then(() => holding.delete(task.token));
        }
      } catch {
        await process.sleep(200);
      }
    }
  }

  async #work(process: SimProcess, task: TaskEnvelope, held: Held): Promise<void> {
    const { kernel, faults, tenant, tokens } = this.#options;
    const { random } = kernel;
    kernel.note(process.name, `takes ${task.idempotencyKey} attempt ${task.attempt}`);
    tokens.note(tenant, task.token);
    const act = actOf(task);
    if (act.how === 'beats' && task.role === 'activity') await this.#beatOn(process, task, held);
    else await process.sleep(random.chance(faults.workerSlowP) ? random.int(4_000, 14_000) : random.int(1, 200));
    if (random.chance(faults.workerCrashP)) {
      process.die();
      kernel.after(random.int(100, 3_000), () => this.#start());
      return new Promise(() => undefined);
    }
    await this.#tryStranger(process);
    const isLater = act.how === 'later' && task.role === 'activity' && task.attempt > act.fails && !held.isCancelled;
    if (!isLater) return this.#answer(process, task, this.#answerTo(task, held.isCancelled));
    this.#completeLater(task);
    await this.#answer(process, task, { token: task.token, kind: 'accepted' });
  }

  /** Longer than its silence may last. */
  async #beatOn(process: SimProcess, task: TaskEnvelope, held: Held): Promise<void> {
    const { kernel, faults, desk, tenant } = this.#options;
    const { random } = kernel;
    const untilMs = kernel.now + random.int(500, 6_000);
    const silentAt = random.chance(faults.workerSlowP) ? random.int(1, 3) : 0;
    for (let nth = 1; kernel.now < untilMs; nth++) {
      await process.sleep(nth === silentAt ? random.int(2_000, 8_000) : random.int(200, 700));
      try {
        const [answer] = await process.call(() => desk.heartbeat(tenant, [{ token: task.token, progress: progressOf(task, nth) }]), BEAT_PATIENCE_MS);
        if (answer!.status === 'cancelled') held.isCancelled = true;
        if (answer!.status !== 'ok') return;
      } catch {
        // It was not heard, or its answer was not; the next one says more.
      }
    }
  }

  /** By somebody who has the token, in a while; sometimes too late, and sometimes not at all. */
  #completeLater(task: TaskEnvelope): void {
    const { kernel, faults, outside } = this.#options;
    const { random } = kernel;
    if (random.chance(faults.workerCrashP)) return kernel.note(outside.name, `forgets ${task.idempotencyKey} attempt ${task.attempt}`);
    outside.after(random.chance(faults.workerSlowP) ? random.int(4_000, 14_000) : random.int(1, 3_000), () => void this.#answer(outside, task, this.#answerTo(task, false)));
  }

  async #answer(process: SimProcess, task: TaskEnvelope, answer: TaskAnswer): Promise<void> {
    const { kernel, faults, desk, tenant } = this.#options;
    for (;;) {
      try {
        const [receipt] = await process.call(() => desk.answer(tenant, [answer]));
        kernel.note(process.name, `${receipt!.status} ${task.idempotencyKey} attempt ${task.attempt} ${answer.kind}`);
        // Now and then it is said again by mistake.
        if (!kernel.random.chance(faults.repeatP)) return;
      } catch {
        await process.sleep(300);
      }
    }
  }

  #answerTo(task: TaskEnvelope, isCancelled: boolean): TaskAnswer {
    const { token, attempt, role } = task;
    if (isCancelled) return { token, kind: 'cancelled' };
    const act = actOf(task);
    if (attempt <= act.fails) return { token, kind: 'failed', error: { type: 'Error', message: notYetOf(act) } };
    this.#options.done(task);
    if (act.isFatal && role === 'activity') return { token, kind: 'failed', error: { type: 'TerminalError', message: act.id, retryable: false } };
    return { token, kind: 'completed', value: role === 'undo' ? `undone ${act.id}` : endOf(act) };
  }

  /** Somebody has learnt another tenant's token: it opens nothing with this one's credential. */
  async #tryStranger(process: SimProcess): Promise<void> {
    const { kernel, desk, tenant, tokens } = this.#options;
    const token = tokens.ofStranger(tenant);
    if (token === undefined) return;
    try {
      const [receipt] = await process.call(() => desk.answer(tenant, [{ token, kind: 'completed', value: `${tenant}:stolen` }]));
      const [beat] = await process.call(() => desk.heartbeat(tenant, [{ token, progress: 'null' }]));
      if (receipt!.status !== 'superseded' || beat!.status !== 'superseded') kernel.violate('tenants', `${tenant} has answered ${token}: ${receipt!.status}, ${beat!.status}`);
    } catch {
      // Not heard; another will try.
    }
  }
}

const actOf = ({ role, input }: TaskEnvelope): Act => (role === 'undo' ? (input as unknown as { readonly input: Act }).input : (input as unknown as Act));
