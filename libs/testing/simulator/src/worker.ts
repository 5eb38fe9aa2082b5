import type { AnswerReceipt, TaskAnswer, TaskEnvelope } from '@perdure/contract';
import type { TaskDesk } from '@perdure/scheduler';
import type { Faults } from './faults.js';
import type { Kernel } from './kernel.js';
import { endOf, type Act } from './program.js';
import { SimProcess } from './sim-process.js';

export const TENANT = 't';
const POLL_MS = 20_000;
const SLOTS = 4;

/** Where a worker's calls end. */
export interface Desk {
  poll(request: Parameters<TaskDesk['poll']>[1]): ReturnType<TaskDesk['poll']>;
  answer(answers: readonly TaskAnswer[]): Promise<readonly AnswerReceipt[]>;
}

/** A pulling worker: it loses answers, is slow, and dies; then it comes back as a new session. */
export class Worker {
  readonly #kernel: Kernel;
  readonly #faults: Faults;
  readonly #desk: Desk;
  readonly #name: string;
  readonly #isSurgical: boolean;
  readonly #done: (task: TaskEnvelope) => void;
  #session = 0;

  constructor({ kernel, faults, desk, name, isSurgical = false, done }: { readonly kernel: Kernel; readonly faults: Faults; readonly desk: Desk; readonly name: string; readonly isSurgical?: boolean; readonly done: (task: TaskEnvelope) => void }) {
    this.#kernel = kernel;
    this.#faults = faults;
    this.#desk = desk;
    this.#name = name;
    this.#isSurgical = isSurgical;
    this.#done = done;
    this.#start();
  }

  #start(): void {
    const session = String(++this.#session).padStart(4, '0');
    const process = new SimProcess(this.#kernel, `${this.#name}.${session}`, this.#faults);
    void this.#pollOn(process, session);
  }

  async #pollOn(process: SimProcess, session: string): Promise<void> {
    const holding = new Map<string, { isCancelled: boolean }>();
    while (process.isAlive) {
      try {
        const slots = (this.#isSurgical ? 1 : SLOTS) - holding.size;
        const request = { worker: this.#name, session, queues: ['default'], slots, holding: [...holding.keys()], waitMs: slots > 0 ? POLL_MS : 1_000, surgical: this.#isSurgical };
        const { tasks, cancel } = await process.call(() => this.#desk.poll(request), POLL_MS + 2_000);
        for (const { token } of cancel) {
          const held = holding.get(token);
          if (held) held.isCancelled = true;
        }
        for (const task of tasks) {
          holding.set(task.token, { isCancelled: false });
          void this.#work(process, task, holding);
        }
      } catch {
        await process.sleep(200);
      }
    }
  }

  async #work(process: SimProcess, task: TaskEnvelope, holding: Map<string, { isCancelled: boolean }>): Promise<void> {
    const { random } = this.#kernel;
    this.#kernel.note(process.name, `takes ${task.idempotencyKey} attempt ${task.attempt}`);
    await process.sleep(random.chance(this.#faults.workerSlowP) ? random.int(4_000, 14_000) : random.int(1, 200));
    if (random.chance(this.#faults.workerCrashP)) {
      process.die();
      return void this.#kernel.after(random.int(100, 3_000), () => this.#start());
    }
    const answer = this.#answerTo(task, holding.get(task.token)!.isCancelled);
    for (;;) {
      try {
        const [receipt] = await process.call(() => this.#desk.answer([answer]));
        this.#kernel.note(process.name, `${receipt!.status} ${task.idempotencyKey} attempt ${task.attempt} ${answer.kind}`);
        // Now and then it is said again by mistake.
        if (!random.chance(this.#faults.repeatP)) break;
      } catch {
        await process.sleep(300);
      }
    }
    holding.delete(task.token);
  }

  #answerTo(task: TaskEnvelope, isCancelled: boolean): TaskAnswer {
    const { token, attempt, role } = task;
    if (isCancelled) return { token, kind: 'cancelled' };
    const act = (role === 'undo' ? (task.input as unknown as { input: Act }).input : task.input) as unknown as Act;
    if (attempt <= act.fails) return { token, kind: 'failed', error: { type: 'Error', message: `not yet ${act.id}` } };
    this.#done(task);
    if (act.isFatal && role === 'activity') return { token, kind: 'failed', error: { type: 'TerminalError', message: act.id, retryable: false } };
    return { token, kind: 'completed', value: role === 'undo' ? `undone ${act.id}` : endOf(act) };
  }
}
