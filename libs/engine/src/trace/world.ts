import { runKeyOf } from '@perdure/contract';
import type { ActivationOutput, Input, InputOutcome, JobEvent, Pin, Transition } from '@perdure/contract';
import type { Activate, ActivationResult, Decision, EngineLimits, Settled, Settlement } from '../decision.js';
import { Engine } from '../engine.js';
import { checkStep, jobsAt, replayPlan } from '../replay.js';
import type { RunState } from '../state.js';

export const PIN: Pin = { bundle: 'b1', abi: 1, sandbox: 'w1' };

export const plain = <T>(value: T): T => JSON.parse(JSON.stringify(value)) as T;

/** What the realm is to do with one job. */
export type Script = (job: JobEvent, at: number) => ActivationResult;
/** The realm cannot be had at all. */
export type Act = Script | Extract<Settlement, { kind: 'setAside' }>;

export interface WorldRun {
  state: RunState;
  readonly transitions: Transition[];
  /** What each activation that counts put out, by job number: a replay's realm. */
  readonly outputs: Map<number, ActivationOutput>;
}

export interface Step {
  readonly run?: WorldRun;
  readonly decision: Decision;
  readonly settled?: Settled;
}

/** The smallest processor: runs in memory, a scripted realm, and after each step the properties that always hold. */
export class World {
  readonly runs = new Map<string, WorldRun>();
  readonly newest = new Map<string, WorldRun>();
  readonly #engine: Engine;

  constructor(limits?: EngineLimits) {
    this.#engine = new Engine({ deriveRunId: ({ workflowId, startId }) => `run(${workflowId},${startId})`, digest: (text) => `digest ${text}`, limits });
  }

  find(input: Input): WorldRun | undefined {
    const { tenant, workflowId, runId } = input;
    if (input.kind === 'start' || runId === undefined) return this.newest.get(workflowId);
    return this.runs.get(runKeyOf({ tenant, workflowId, runId }));
  }

  /** Takes one input, and the start of the run that goes on. */
  take(input: Input, { act, pin, seen }: { readonly act: Act; readonly pin: Pin | undefined; readonly seen?: InputOutcome | undefined }): Step[] {
    const steps: Step[] = [];
    for (let next: Input | undefined = input; next; ) {
      const step = this.#takeOne(next, { act, pin, seen });
      steps.push(step);
      next = step.settled?.continuation;
    }
    return steps;
  }

  suspend(run: WorldRun, request: Parameters<Engine['suspend']>[1]): Settled {
    const settled = this.#engine.suspend(run.state, request);
    if (settled.transition) run.transitions.push(plain(settled.transition));
    this.#check(run);
    return settled;
  }

  #takeOne(input: Input, { act, pin, seen }: { readonly act: Act; readonly pin: Pin | undefined; readonly seen: InputOutcome | undefined }): Step {
    let run = this.find(input);
    let decision = this.#accept(run, input, { pin, seen });
    while (decision.kind === 'redirect') {
      run = this.runs.get(runKeyOf({ ...input, runId: decision.runId }));
      decision = this.#accept(run, input, { pin, seen });
    }
    if (decision.kind === 'drop' || decision.kind === 'refuse') return { decision, run };
    if (decision.kind === 'activate' && input.kind !== 'start' && input.kind !== 'resume' && run?.state.status !== 'running') throw new Error('the code of a suspended run acts');
    const results: { n: number; output: ActivationOutput }[] = [];
    const settlement = decision.kind === 'activate' ? this.#activate(run, decision, { act, results }) : undefined;
    const settled = this.#engine.settle(run?.state, decision, settlement);
    if (!settled.transition) return { decision, settled, run };
    const touched = input.kind === 'start' ? this.#born(settled.state!) : run!;
    touched.transitions.push(plain(settled.transition));
    for (const { n, output } of results) touched.outputs.set(n, output);
    this.#check(touched);
    return { decision, settled, run: touched };
  }

  #accept(run: WorldRun | undefined, input: Input, context: { readonly pin: Pin | undefined; readonly seen: InputOutcome | undefined }): Decision {
    const before = JSON.stringify(run?.state);
    const decision = this.#engine.accept(run?.state, input, context);
    if (JSON.stringify(run?.state) !== before) throw new Error('accept changed the state');
    return decision;
  }

  #activate(run: WorldRun | undefined, decision: Activate, { act, results }: { readonly act: Act; readonly results: { n: number; output: ActivationOutput }[] }): Settlement {
    if (typeof act !== 'function') return act;
    const numbers = decision.jobs.filter(({ job }) => !job).map(({ n }) => n);
    const loaded = jobsAt(run?.transitions ?? [], numbers);
    const answers: ActivationResult[] = [];
    for (const [i, { n, at, job }] of decision.jobs.entries()) {
      const result = plain(act(job ?? loaded[i]!, at));
      answers.push(result);
      if (result.kind === 'voided') break;
      results.push({ n, output: result.output });
    }
    const pin = decision.repinTo === undefined ? undefined : { ...PIN, bundle: decision.repinTo };
    return { kind: 'ran', results: answers, ...(loaded.length > 0 && { jobs: loaded }), ...(pin && { pin }) };
  }

  #born(state: RunState): WorldRun {
    const run = { state, transitions: [], outputs: new Map<number, ActivationOutput>() };
    this.runs.set(runKeyOf(state.run), run);
    this.newest.set(state.run.workflowId, run);
    return run;
  }

  /** Fold equals live; numbers have no gaps; time does not run backwards; what is pending is counted; a replay asks for the same. */
  #check(run: WorldRun): void {
    let folded: RunState | undefined;
    let next = 1;
    let at = 0;
    for (const transition of run.transitions) {
      if (transition.first !== next) throw new Error(`gap: ${transition.first} follows ${next - 1}`);
      if (transition.at < at) throw new Error(`time runs backwards at ${transition.first}`);
      next += transition.events.length;
      at = transition.at;
      folded = this.#engine.evolve(folded, plain(transition));
    }
    equal(folded, run.state, 'fold and live state');
    equal(plain(run.state), run.state, 'state and its JSON');
    const { activities, timers, waits, children, signals, compensations, pending } = run.state;
    const count = [activities, timers, waits, children, signals, compensations].reduce((sum, map) => sum + Object.keys(map).length, 0);
    if (count !== pending) throw new Error(`${count} things are pending, not ${pending}`);
    for (const step of replayPlan(run.transitions)) {
      const difference = checkStep(step, step.jobs.map(({ n }) => run.outputs.get(n) ?? { commands: [] }));
      if (difference) throw new Error(`replay differs at ${difference.n}:\n${difference.diff}`);
    }
  }
}

function equal(a: unknown, b: unknown, what: string): void {
  const [left, right] = [sorted(a), sorted(b)];
  if (left !== right) throw new Error(`${what} differ:\n${left}\n${right}`);
}

const sorted = (value: unknown): string =>
  JSON.stringify(value, (_, member: unknown) =>
    member !== null && typeof member === 'object' && !Array.isArray(member) ? Object.fromEntries(Object.entries(member).sort(([a], [b]) => (a < b ? -1 : 1)).map(([k, v]) => [k, v === undefined ? '(undefined)' : v])) : member,
  );

