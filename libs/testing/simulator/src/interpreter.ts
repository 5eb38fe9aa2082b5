import type { ActivationOutput, ActivityOptions, CarriedSignal, Command, Job, Json, JobEvent, Outcome } from '@perdure/contract';
import { HEARTBEAT_TIMEOUT_MS, type Act, type Step } from './program.js';

const OPTIONS: ActivityOptions = { queue: 'default', startToCloseTimeoutMs: 8_000, retry: { maxAttempts: 0, initialIntervalMs: 100, backoffCoefficient: 2, maxIntervalMs: 2_000 } };
/** Under which each sort of activity closes as it should, however often processes die. */
const optionsOf = ({ how }: Act): ActivityOptions => {
  switch (how) {
    case 'beats':
      return { ...OPTIONS, startToCloseTimeoutMs: 30_000, heartbeatTimeoutMs: HEARTBEAT_TIMEOUT_MS };
    case 'bounded':
      return { ...OPTIONS, startToCloseTimeoutMs: 2_000, retry: { ...OPTIONS.retry, maxAttempts: 2 } };
    case 'urgent':
      return { ...OPTIONS, scheduleToCloseTimeoutMs: 6_000 };
    default:
      return OPTIONS;
  }
};
const CANCELLED = { type: 'Cancelled', message: 'cancelled' } as const;

/** The whole state of the workflow: JSON, so its image is its text. */
export interface Memory {
  readonly steps: readonly Step[];
  at: number;
  seq: number;
  undoSeq: number;
  log: Json[];
  /** Signals that no step has taken. */
  signals: CarriedSignal[];
  /** Signals of any known name that it has seen, in this run and those before it. */
  seen: number;
  sum: number;
  wait: Wait | undefined;
  isCancelled: boolean;
}

type Wait =
  | { readonly kind: 'acts'; readonly seqs: readonly number[]; readonly ends: Record<string, string> }
  | { readonly kind: 'timer' | 'tell' | 'event' | 'child'; readonly seq: number }
  | { readonly kind: 'signal'; readonly seq?: number }
  | { readonly kind: 'book'; readonly seq: number; readonly ends: readonly string[] }
  | { readonly kind: 'undo'; readonly seq: number; readonly ends: readonly string[] };

interface Input {
  readonly steps: readonly Step[];
  readonly at?: number;
  readonly log?: readonly Json[];
  readonly seen?: number;
  readonly sum?: number;
}

/** The code lets the process die. */
export class Deadly extends Error {}

/** The one workflow of the simulated world, as a function of memory and job. It waits for one thing at a time. */
export class Interpreter {
  memory: Memory;
  #commands: Command[] = [];

  constructor(memory?: Memory) {
    this.memory = memory ?? { steps: [], at: 0, seq: 0, undoSeq: 0, log: [], signals: [], seen: 0, sum: 0, wait: undefined, isCancelled: false };
  }

  activate(job: Job): ActivationOutput {
    this.#commands = [];
    const refused = this.#handle(job);
    return refused ?? { commands: this.#commands };
  }

  #handle(job: Job): ActivationOutput | undefined {
    const { memory } = this;
    switch (job.kind) {
      case 'started': {
        const { steps, at = 0, log = [], seen = 0, sum = 0 } = job.input as unknown as Input;
        this.memory = { ...memory, steps, at, log: [...log], signals: [...(job.carried ?? [])], seen, sum };
        return this.#advance();
      }
      case 'signalReceived':
        return this.#signal(job);
      case 'updateAccepted':
        memory.sum += Number(job.input);
        this.#commands.push({ kind: 'completeUpdate', updateId: job.id, outcome: { status: 'completed', value: memory.sum } });
        return undefined;
      case 'query':
        return { commands: [], answer: { value: memory.seen } };
      case 'cancelRequested':
        return this.#cancel();
      default:
        return this.#settle(job);
    }
  }

  #signal({ id, name, input }: Extract<JobEvent, { kind: 'signalReceived' }>): ActivationOutput | undefined {
    const { memory } = this;
    if (name === 'deadly') throw new Deadly();
    if (name !== 'go' && name !== 'note') return { commands: [], refused: { code: 'unknown-signal', message: `there is no signal "${name}"`, known: ['go', 'note'] } };
    memory.seen += 1;
    if (name === 'note') return undefined;
    memory.signals.push({ id, name, ...(input === undefined ? {} : { input }) });
    if (memory.wait?.kind !== 'signal') return undefined;
    if (memory.wait.seq !== undefined) this.#commands.push({ kind: 'cancelTimer', seq: memory.wait.seq });
    return this.#done({ signal: memory.signals.shift()!.id });
  }

  /** What a step awaits. */
  #settle(job: Exclude<JobEvent, { kind: 'started' | 'signalReceived' | 'updateAccepted' | 'cancelRequested' }>): undefined {
    const { wait } = this.memory;
    if (!wait || job.kind === 'childStarted') return;
    // What was cancelled, or settled otherwise, may have been recorded while the run was suspended.
    if (wait.kind === 'acts') return wait.seqs.includes(job.seq) ? this.#actEnded(wait, job as Extract<JobEvent, { kind: 'activityClosed' }>) : undefined;
    if (wait.seq !== job.seq) return;
    if (wait.kind === 'book') return this.#booked(wait, (job as Extract<JobEvent, { kind: 'activityClosed' }>).outcome);
    if (wait.kind === 'undo') return this.#done([[...wait.ends], 'undone']);
    if (job.kind === 'eventReceived') return this.#done({ event: job.event.id });
    if (job.kind === 'childClosed') return this.#done({ child: job.outcome.status === 'completed' ? (job.outcome.value ?? null) : job.outcome.status });
    if (job.kind === 'signalSettled') return this.#done('told');
    if (wait.kind !== 'timer') return this.#done('timeout');
    const step = this.memory.steps[this.memory.at];
    if (step?.do === 'sleep' && step.isDeadly) throw new Deadly();
    return this.#done('slept');
  }

  #actEnded(wait: Extract<Wait, { kind: 'acts' }>, { seq, outcome }: Extract<JobEvent, { kind: 'activityClosed' }>): undefined {
    wait.ends[seq] = textOf(outcome);
    if (Object.keys(wait.ends).length < wait.seqs.length) return;
    const ends = wait.seqs.map((each) => wait.ends[each]!);
    return this.#done(this.memory.steps[this.memory.at]!.do === 'activity' ? ends[0]! : ends);
  }

  #booked(wait: Extract<Wait, { kind: 'book' }>, outcome: Outcome): undefined {
    const { memory } = this;
    const ends = [...wait.ends, textOf(outcome)];
    const step = memory.steps[memory.at] as Extract<Step, { do: 'saga' }>;
    const isOver = outcome.status !== 'completed' || memory.isCancelled || ends.length === step.books.length;
    if (!isOver) return this.#book(step, ends);
    if (outcome.status === 'completed' && !memory.isCancelled && !step.undoes) return this.#done([ends, 'kept']);
    memory.wait = { kind: 'undo', seq: ++memory.seq, ends };
    this.#commands.push({ kind: 'compensate', seq: memory.seq, saga: memory.at + 1 });
  }

  #book(step: Extract<Step, { do: 'saga' }>, ends: readonly string[]): undefined {
    const { memory } = this;
    const act = step.books[ends.length]!;
    const seq = ++memory.seq;
    memory.wait = { kind: 'book', seq, ends };
    this.#commands.push({ kind: 'registerUndo', undo: { undoSeq: ++memory.undoSeq, saga: memory.at + 1, activitySeq: seq, name: 'unbook', options: OPTIONS } });
    this.#schedule('book', seq, act);
  }

  /** Delivered once: what is pending is asked to stop, and settles by how it really ended; the rest is given up. */
  #cancel(): undefined {
    const { memory } = this;
    memory.isCancelled = true;
    const { wait } = memory;
    if (!wait) return;
    if (wait.kind === 'acts') for (const seq of wait.seqs) if (!(seq in wait.ends)) this.#commands.push({ kind: 'cancelActivity', seq });
    if (wait.kind === 'book') this.#commands.push({ kind: 'cancelActivity', seq: wait.seq });
    if (wait.kind === 'child') this.#commands.push({ kind: 'cancelChild', seq: wait.seq });
    if (wait.kind === 'acts' || wait.kind === 'book' || wait.kind === 'undo' || wait.kind === 'child' || wait.kind === 'tell') return;
    if (wait.kind === 'event') this.#commands.push({ kind: 'cancelWait', seq: wait.seq });
    else if (wait.seq !== undefined) this.#commands.push({ kind: 'cancelTimer', seq: wait.seq });
    this.#commands.push({ kind: 'cancel', error: CANCELLED });
  }

  #done(entry: Json): undefined {
    this.memory.log.push(entry);
    this.memory.at += 1;
    this.memory.wait = undefined;
    return this.#advance();
  }

  #advance(): undefined {
    const { memory } = this;
    if (memory.isCancelled) return void this.#commands.push({ kind: 'cancel', error: CANCELLED });
    const step = memory.steps[memory.at];
    if (!step) return void this.#commands.push({ kind: 'complete', result: { log: memory.log, sum: memory.sum, seen: memory.seen } });
    const seq = memory.seq + 1;
    switch (step.do) {
      case 'activity':
      case 'group': {
        const acts = step.do === 'group' ? step.acts : [step.act];
        memory.wait = { kind: 'acts', seqs: acts.map((_, index) => seq + index), ends: {} };
        for (const [index, act] of acts.entries()) this.#schedule('work', seq + index, act);
        memory.seq += acts.length;
        return;
      }
      case 'sleep':
        return this.#await({ kind: 'timer', seq }, { kind: 'startTimer', seq, durationMs: step.ms });
      case 'signal': {
        const waiting = memory.signals.shift();
        if (waiting) return this.#done({ signal: waiting.id });
        if (step.timeoutMs === undefined) return void (memory.wait = { kind: 'signal' });
        return this.#await({ kind: 'signal', seq }, { kind: 'startTimer', seq, durationMs: step.timeoutMs });
      }
      case 'event':
        return this.#await({ kind: 'event', seq }, { kind: 'openWait', seq, wait: { type: 'scan', match: { k: step.k } }, ...(step.timeoutMs === undefined ? {} : { timeoutMs: step.timeoutMs }) });
      case 'child':
        return this.#await({ kind: 'child', seq }, { kind: 'startChild', seq, workflowType: 'program', workflowId: step.workflowId, input: { steps: step.steps } as unknown as Json, parentClosePolicy: 'terminate' });
      case 'tell':
        return this.#await({ kind: 'tell', seq }, { kind: 'sendSignal', seq, workflowId: step.workflowId, name: 'note' });
      case 'saga':
        return this.#book(step, []);
      case 'continue': {
        const input: Input = { steps: memory.steps, at: memory.at + 1, log: memory.log, seen: memory.seen, sum: memory.sum };
        return void this.#commands.push({ kind: 'continueAsNew', workflowType: 'program', input: input as unknown as Json, carried: memory.signals });
      }
    }
  }

  #await(wait: Wait & { readonly seq?: number }, command: Command): undefined {
    this.memory.seq = wait.seq!;
    this.memory.wait = wait;
    this.#commands.push(command);
  }

  #schedule(name: string, seq: number, act: Act): void {
    this.#commands.push({ kind: 'scheduleActivity', seq, name, input: { ...act } as unknown as Json, options: optionsOf(act) });
  }
}

const textOf = (outcome: Outcome): string => (outcome.status === 'completed' ? String(outcome.value) : `${outcome.status} ${outcome.error.message}`);
