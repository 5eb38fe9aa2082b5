import { isPerdureError, type InputOutcome, type Json } from '@perdure/contract';
import type { Door } from './door.js';
import { INDIGESTIBLE } from './disk.js';
import type { Operation, Program } from './program.js';
import { unavailable, type SimProcess } from './sim-process.js';
import { TENANT } from './worker.js';

/** What a client was told, and holds the server to. */
export interface Ack {
  readonly workflowId: string;
  readonly inputId: string;
  readonly operation: Operation['kind'] | 'start';
  readonly outcome: InputOutcome;
}

export interface Clients {
  readonly acks: Ack[];
  /** Events that were acknowledged. */
  readonly published: Set<string>;
  readonly busy: number;
}

/** Clients that start programs and do things with them. They send again until they are answered, with the same id, and sometimes afterwards. */
export class ClientGroup implements Clients {
  readonly acks: Ack[] = [];
  readonly published = new Set<string>();
  busy = 0;
  readonly #process: SimProcess;
  readonly #doors: () => readonly Door[];
  #resumes = 0;

  constructor(process: SimProcess, doors: () => readonly Door[]) {
    this.#process = process;
    this.#doors = doors;
  }

  run(program: Program): void {
    this.#do(0, async () => {
      const { workflowId, steps, operations } = program;
      await this.#settle({ workflowId, inputId: 'start', operation: 'start' }, ({ workflows }) => workflows.start({ tenant: TENANT }, { workflowId, workflowType: 'program', input: { steps } as unknown as Json }));
      for (const operation of operations) this.#do(operation.afterMs, () => this.#operate(workflowId, operation));
    });
    for (const { id, k, afterMs } of program.events) this.#do(afterMs, () => this.#publish(id, k));
  }

  /** An operator looks after a suspended run. */
  resume(workflowId: string): void {
    const id = `resume-${++this.#resumes}`;
    this.#do(0, () => this.#operate(workflowId, { id, kind: 'suspend', afterMs: 0 }, 'resume'));
  }

  terminate(workflowId: string): void {
    this.#do(0, () => this.#operate(workflowId, { id: `terminate-${++this.#resumes}`, kind: 'terminate', afterMs: 0 }));
  }

  #do(afterMs: number, run: () => Promise<void>): void {
    this.busy += 1;
    this.#process.after(afterMs, () => void run().finally(() => (this.busy -= 1)));
  }

  async #operate(workflowId: string, { id, kind }: Operation, verb: 'resume' | undefined = undefined): Promise<void> {
    const caller = { tenant: TENANT };
    if (kind === 'query') return this.#query(workflowId);
    const ack = (inputKind: string): Omit<Ack, 'outcome'> => ({ workflowId, inputId: `${inputKind}/${id}`, operation: kind });
    if (verb === 'resume') return this.#settle(ack('resume'), ({ workflows }) => workflows.resume(caller, workflowId, { id, fail: false }));
    if (kind === 'cancel') return this.#settle(ack('cancel'), ({ workflows }) => workflows.cancel(caller, workflowId, { id }));
    if (kind === 'terminate') return this.#settle(ack('terminate'), ({ workflows }) => workflows.terminate(caller, workflowId, { id, compensate: true }));
    if (kind === 'suspend') return this.#settle(ack('suspend'), ({ workflows }) => workflows.suspend(caller, workflowId, { id }));
    if (kind === 'update') return this.#settle(ack('update'), ({ workflows }) => workflows.update(caller, workflowId, { id, name: 'add', input: id.length }));
    const name = kind === 'signal' || kind === 'heavy' ? 'go' : kind === 'note' ? 'note' : kind;
    return this.#settle(ack('signal'), ({ workflows }) => workflows.signal(caller, workflowId, { id, name, ...(kind === 'heavy' ? { input: INDIGESTIBLE } : {}) }));
  }

  /** Until it is answered with an outcome; and if it is said again, then with the same. */
  async #settle(ack: Omit<Ack, 'outcome'>, ask: (door: Door) => Promise<{ readonly outcome: InputOutcome | undefined }>): Promise<void> {
    const { kernel } = this.#process;
    let first: InputOutcome | undefined;
    for (;;) {
      const { outcome } = await this.#insist(ask);
      if (!outcome) continue;
      if (!first) {
        kernel.note('client', `${ack.workflowId} ${ack.inputId}: ${outcome.kind}${outcome.kind === 'refused' ? ` ${outcome.problem.code}` : ''}`);
        this.acks.push({ ...ack, outcome });
        first = outcome;
      } else if (!isSameAnswer(first, outcome)) kernel.violate('I1', `${ack.workflowId} ${ack.inputId} was answered ${JSON.stringify(first)}, then ${JSON.stringify(outcome)}`);
      if (!kernel.random.chance(this.#process.faults.repeatP)) return;
    }
  }

  async #publish(id: string, k: string): Promise<void> {
    await this.#insist(({ events }) => events.publish(TENANT, [{ specversion: '1.0', id, source: 'sim', type: 'scan', data: { k } }]));
    this.published.add(id);
    this.#process.kernel.note('client', `published ${id}`);
  }

  /** What is answered is at least what was acknowledged before it was asked (design §16). */
  async #query(workflowId: string): Promise<void> {
    const sure = this.acks.filter((ack) => ack.workflowId === workflowId && (ack.operation === 'signal' || ack.operation === 'note') && ack.outcome.kind === 'accepted').length;
    try {
      const answer = await this.#once(({ workflows }) => workflows.query({ tenant: TENANT }, workflowId, { name: 'seen' }));
      this.#process.kernel.note('client', `${workflowId} has seen ${String(answer.value)}`);
      if (Number(answer.value) < sure && !this.#mayLag(workflowId)) this.#process.kernel.violate('§16', `a query of ${workflowId} saw ${String(answer.value)} signals; ${sure} had been acknowledged before it`);
    } catch {
      // Queries may fail; nothing rests on them.
    }
  }

  /** A suspended run's code has not seen what waits for the resume. */
  #mayLag(workflowId: string): boolean {
    return this.acks.some((ack) => ack.workflowId === workflowId && (ack.operation === 'suspend' || ack.operation === 'heavy' || ack.operation === 'deadly')) || this.suspended.has(workflowId);
  }

  /** Workflow ids that were ever seen suspended. */
  readonly suspended = new Set<string>();

  async #insist<T>(ask: (door: Door) => Promise<T>): Promise<T> {
    for (;;) {
      try {
        return await this.#once(ask);
      } catch (thrown) {
        if (!isPerdureError(thrown) || !thrown.retryable) {
          this.#process.kernel.violate('I1', `a client was told ${String((thrown as Error).stack)}`);
          await new Promise(() => undefined);
        }
        await this.#process.sleep(this.#process.kernel.random.int(50, 1_000));
      }
    }
  }

  #once<T>(ask: (door: Door) => Promise<T>): Promise<T> {
    const doors = this.#doors().filter(({ process }) => process.isAlive);
    if (doors.length === 0) return Promise.reject(unavailable());
    const door = this.#process.kernel.random.pick(doors);
    return this.#process.call(() => new Promise<T>((resolve, reject) => void door.process.after(0, () => ask(door).then(resolve, reject))), 12_000);
  }
}

/** An update is `accepted` until its handler has finished. */
const isSameAnswer = (first: InputOutcome, again: InputOutcome): boolean =>
  (first.kind === 'accepted' && again.kind === 'updated') || (first.kind === 'started' && again.kind === 'started' && first.runId === again.runId) || JSON.stringify(first) === JSON.stringify(again);
