import { isPerdureError, type InputOutcome, type Json } from '@perdure/contract';
import type { Door } from './door.js';
import { INDIGESTIBLE } from './disk.js';
import type { Operation, Program, Tenant } from './program.js';
import { unavailable, type SimProcess } from './sim-process.js';

export interface Workflow {
  readonly tenant: Tenant;
  readonly workflowId: string;
}

export const nameOf = ({ tenant, workflowId }: Pick<Workflow, 'workflowId'> & { readonly tenant: string }): string => `${tenant}/${workflowId}`;

/** No fault of the world's: it happens in quiet times, too. */
const IMPOSTOR_P = 0.3;

type Answering = Promise<{ readonly outcome: InputOutcome | undefined }>;

/** What a client was told, and holds the server to. */
export interface Ack extends Workflow {
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
      const { tenant, workflowId, steps, operations } = program;
      await this.#settle({ tenant, workflowId, inputId: 'start', operation: 'start' }, ({ workflows }) => workflows.start({ tenant }, { workflowId, workflowType: 'program', input: { steps } as unknown as Json }));
      for (const operation of operations) this.#do(operation.afterMs, () => this.#operate(program, operation));
    });
    for (const { id, k, afterMs } of program.events) this.#do(afterMs, () => this.#publish(program.tenant, id, k));
  }

  /** A tenant talks to a workflow that another has: there is none. */
  pry(workflow: Workflow): void {
    const { kernel } = this.#process;
    this.#do(kernel.random.int(1_000, 30_000), async () => {
      const { outcome } = await this.#insist(({ workflows }) => workflows.signal({ tenant: workflow.tenant }, workflow.workflowId, { id: `${workflow.tenant}:pry`, name: 'go' }));
      if (outcome && !(outcome.kind === 'refused' && outcome.problem.code === 'unknown-run')) kernel.violate('tenants', `${nameOf(workflow)} is not there, and was answered ${JSON.stringify(outcome)}`);
    });
  }

  /** An operator looks after a suspended run. */
  resume(workflow: Workflow): void {
    const id = `resume-${++this.#resumes}`;
    this.#do(0, () => this.#operate(workflow, { id, kind: 'suspend', afterMs: 0 }, 'resume'));
  }

  terminate(workflow: Workflow): void {
    this.#do(0, () => this.#operate(workflow, { id: `terminate-${++this.#resumes}`, kind: 'terminate', afterMs: 0 }));
  }

  #do(afterMs: number, run: () => Promise<void>): void {
    this.busy += 1;
    this.#process.after(afterMs, () => void run().finally(() => (this.busy -= 1)));
  }

  async #operate({ tenant, workflowId }: Workflow, { id, kind }: Operation, verb: 'resume' | undefined = undefined): Promise<void> {
    const caller = { tenant };
    if (kind === 'query') return this.#query({ tenant, workflowId });
    const ack = (inputKind: string): Omit<Ack, 'outcome'> => ({ tenant, workflowId, inputId: `${inputKind}/${id}`, operation: kind });
    if (verb === 'resume') return this.#settle(ack('resume'), ({ workflows }) => workflows.resume(caller, workflowId, { id, fail: false }));
    if (kind === 'cancel') return this.#settle(ack('cancel'), ({ workflows }) => workflows.cancel(caller, workflowId, { id }));
    if (kind === 'terminate') return this.#settle(ack('terminate'), ({ workflows }) => workflows.terminate(caller, workflowId, { id, compensate: true }));
    if (kind === 'suspend') return this.#settle(ack('suspend'), ({ workflows }) => workflows.suspend(caller, workflowId, { id }));
    if (kind === 'update') {
      const update = (input: Json) => ({ workflows }: Door): Answering => workflows.update(caller, workflowId, { id, name: 'add', input });
      return this.#settle(ack('update'), update(id.length), update(id.length + 1));
    }
    const name = kind === 'signal' || kind === 'heavy' ? 'go' : kind === 'note' ? 'note' : kind;
    const signal = (input?: Json) => ({ workflows }: Door): Answering => workflows.signal(caller, workflowId, { id, name, ...(input === undefined ? {} : { input }) });
    return this.#settle(ack('signal'), signal(kind === 'heavy' ? INDIGESTIBLE : undefined), signal('another'));
  }

  /** Until it is answered with an outcome; and if it is said again, then with the same. `another` says something else under its id. */
  async #settle(ack: Omit<Ack, 'outcome'>, ask: (door: Door) => Answering, another?: (door: Door) => Answering): Promise<void> {
    const { kernel } = this.#process;
    let first: InputOutcome | undefined;
    for (;;) {
      const { outcome } = await this.#insist(ask);
      if (!outcome) continue;
      if (!first) {
        kernel.note('client', `${nameOf(ack)} ${ack.inputId}: ${outcome.kind}${outcome.kind === 'refused' ? ` ${outcome.problem.code}` : ''}`);
        this.acks.push({ ...ack, outcome });
        first = outcome;
      } else if (!isSameAnswer(first, outcome)) kernel.violate('I1', `${nameOf(ack)} ${ack.inputId} was answered ${JSON.stringify(first)}, then ${JSON.stringify(outcome)}`);
      if (another && first.kind !== 'refused' && kernel.random.chance(IMPOSTOR_P)) await this.#impose(ack, another);
      if (!kernel.random.chance(this.#process.faults.repeatP)) return;
    }
  }

  /** Whoever comes second with something else is not told that it has happened. */
  async #impose(ack: Omit<Ack, 'outcome'>, another: (door: Door) => Answering): Promise<void> {
    const { outcome } = await this.#insist(another);
    if (outcome && !(outcome.kind === 'refused' && outcome.problem.code === 'input-id-reused')) this.#process.kernel.violate('I1', `${nameOf(ack)} ${ack.inputId} was used for something else, and that was answered ${JSON.stringify(outcome)}`);
  }

  async #publish(tenant: Tenant, id: string, k: string): Promise<void> {
    await this.#insist(({ events }) => events.publish(tenant, [{ specversion: '1.0', id, source: 'sim', type: 'scan', data: { k, of: `${tenant}:${id}` } }]));
    this.published.add(`${tenant}/${id}`);
    this.#process.kernel.note('client', `published ${tenant}/${id}`);
  }

  /** What is answered is at least what was acknowledged before it was asked (design §16). */
  async #query(workflow: Workflow): Promise<void> {
    const { tenant, workflowId } = workflow;
    const name = nameOf(workflow);
    const sure = this.acks.filter((ack) => nameOf(ack) === name && (ack.operation === 'signal' || ack.operation === 'note') && ack.outcome.kind === 'accepted').length;
    try {
      const answer = await this.#once(({ workflows }) => workflows.query({ tenant }, workflowId, { name: 'seen' }));
      this.#process.kernel.note('client', `${name} has seen ${String(answer.value)}`);
      if (Number(answer.value) < sure && !this.#mayLag(name)) this.#process.kernel.violate('§16', `a query of ${name} saw ${String(answer.value)} signals; ${sure} had been acknowledged before it`);
    } catch {
      // Queries may fail; nothing rests on them.
    }
  }

  /** A suspended run's code has not seen what waits for the resume. */
  #mayLag(name: string): boolean {
    return this.acks.some((ack) => nameOf(ack) === name && (ack.operation === 'suspend' || ack.operation === 'heavy' || ack.operation === 'deadly')) || this.suspended.has(name);
  }

  /** Workflows that were ever seen suspended. */
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
