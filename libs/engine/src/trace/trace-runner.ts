import { LIMITS } from '@perdure/contract';
import type { ActivationOutput, Command, Effect, Input, InputOutcome, Json, JsonObject, SuspendReason } from '@perdure/contract';
import type { ActivationResult } from '../decision.js';
import { replayPlan } from '../replay.js';
import { parseCommand } from './trace-file.js';
import type { TraceArgs, TraceBlock } from './trace-file.js';
import { PIN, World } from './world.js';
import type { Act, Script, Step, WorldRun } from './world.js';

const OPTIONS = { queue: 'default', startToCloseTimeoutMs: 60_000, retry: { maxAttempts: 0, initialIntervalMs: 1_000, backoffCoefficient: 2, maxIntervalMs: 100_000 } };
/** What a trace may leave out. */
const DEFAULTS: Readonly<Record<string, object>> = {
  scheduleActivity: { options: OPTIONS },
  openWait: { wait: { type: 'scan', match: { parcel: 7 } } },
  startChild: { workflowId: 'child', parentClosePolicy: 'terminate' },
  sendSignal: { workflowId: 'other' },
  cancelRun: { workflowId: 'other' },
  continueAsNew: { carried: [] },
  activityClosed: { attempts: 1 },
  terminate: { compensate: false },
};

/** Runs the blocks of one trace file, in one world. Time goes on by a second an input, from 1,000. */
export class TraceRunner {
  /** What was given to the engine so far: with it the same world can be made again. */
  readonly tape: Taped[] = [];
  #world = new World();
  #now = 0;
  #inputs = 0;

  run({ name, args, script }: TraceBlock): string {
    if (name === 'limits') return this.#limits(args);
    if (name === 'state') return show(this.#runOf(args).state as unknown as Json);
    if (name === 'replay') return this.#replay(args);
    if (name === 'poison') return this.#poison(args);
    // `pin=none`: no bundle has the workflow.
    const { pin, seen, ...rest } = args;
    const input = this.#toInput(name, rest);
    const act = toActs(script);
    this.tape.push({ input, act });
    const steps = this.#world.take(input, { act: play(act), pin: pin === 'none' ? undefined : PIN, seen: seen as InputOutcome | undefined });
    return steps.map((step, i) => `${i > 0 ? `${step.run?.state.run.runId}:\n` : ''}${showStep(step)}`).join('\n');
  }

  #limits(limits: TraceArgs): string {
    this.#world = new World({ ...LIMITS, ...(limits as Record<string, number>) });
    return 'ok';
  }

  #runOf({ run, wf = 'w' }: TraceArgs): WorldRun {
    const found = run === undefined ? this.#world.newest.get(String(wf)) : [...this.#world.runs.values()].find(({ state }) => state.run.runId === run);
    if (!found) throw new Error(`no run ${String(run)} of ${String(wf)}`);
    return found;
  }

  #replay(args: TraceArgs): string {
    const lines = [...replayPlan(this.#runOf(args).transitions)].map(({ jobs, recorded, first }) => {
      const asked = recorded.map(({ kind }) => kind).join(' ');
      return `${jobs.map(({ n, at, job }) => `${n} ${job.kind} @${at}`).join(', ')} ⇒ ${asked === '' ? 'nothing' : `${first} ${asked}`}`;
    });
    return lines.join('\n');
  }

  #poison(args: TraceArgs): string {
    this.#now += 1_000;
    const reason: SuspendReason = { kind: 'poisoned', seq: Number(args['seq']), message: 'crashed three times' };
    const settled = this.#world.suspend(this.#runOf(args), { reason, inputId: 'poison', at: this.#now });
    return showStep({ decision: { kind: 'record' } as Step['decision'], settled });
  }

  #toInput(kind: string, { id, at, wf = 'w', run, ...body }: TraceArgs): Input {
    this.#now = Number(at ?? this.#now + 1_000);
    this.#inputs += 1;
    const inputId = String(id ?? `i${this.#inputs}`);
    const header = { id: inputId, tenant: 't', workflowId: String(wf), at: this.#now, ...(run !== undefined && { runId: String(run) }) };
    const start = kind === 'start' ? { workflowType: 'deliver', newRunId: `run(${String(wf)},${inputId})` } : {};
    return { ...header, kind, ...start, ...DEFAULTS[kind], ...body } as unknown as Input;
  }
}

export interface Taped {
  readonly input: Input;
  readonly act: readonly ActivationResult[] | Exclude<Act, Script>;
}

/** The realm does what was taped, and nothing once that is used up. */
export function play(taped: Taped['act']): Act {
  if (!Array.isArray(taped)) return taped as Exclude<Act, Script>;
  const results = [...(taped as readonly ActivationResult[])];
  return () => results.shift() ?? { kind: 'ok', output: { commands: [] } };
}

function toActs(script: readonly string[]): Taped['act'] {
  const aside = script.find((line) => line.startsWith('> setAside'));
  if (aside) return { kind: 'setAside', reason: parseCommand(aside.slice(2)).args['reason'] as unknown as SuspendReason };
  const jobs: string[][] = [[]];
  for (const line of script) {
    if (line === '> next') jobs.push([]);
    else jobs.at(-1)!.push(line.slice(2));
  }
  return jobs.map(toResult);
}

function toResult(lines: readonly string[]): ActivationResult {
  const parsed = lines.map(parseCommand);
  const voided = parsed.find(({ name }) => name === 'voided');
  if (voided) return { kind: 'voided', reason: 'time', message: 'took too long' };
  const refused = parsed.find(({ name }) => name === 'refused')?.args as unknown as ActivationOutput['refused'];
  if (refused) return { kind: 'ok', output: { commands: [], refused } };
  return { kind: 'ok', output: { commands: parsed.map(({ name, args }) => ({ kind: name, ...DEFAULTS[name], ...args }) as unknown as Command) } };
}

function showStep({ decision, settled }: Step): string {
  const lines: string[] = [];
  if (decision.kind === 'drop') lines.push(`drop: ${decision.why}`, ...(decision.outcome ? [`= ${show(decision.outcome as Json)}`] : []));
  if (decision.kind === 'refuse') lines.push(`refuse ${decision.problem.code}: ${decision.problem.detail}`);
  if (decision.kind === 'drop' || decision.kind === 'refuse') lines.push(...decision.effects.map(showEffect));
  if (settled) {
    const { transition, effects, outcomes, closed } = settled;
    if (transition) lines.push(`@${transition.at}`, ...transition.events.map(({ kind, ...body }, i) => `${transition.first + i} ${kind} ${show(body as unknown as Json)}`));
    lines.push(...effects.map(showEffect), ...outcomes.map(({ inputId, outcome }) => `= ${inputId} ${show(outcome as Json)}`));
    if (closed) lines.push(`closed ${show(closed as unknown as Json)}`);
  }
  return lines.length > 0 ? lines.join('\n') : 'nothing';
}

function showEffect(effect: Effect): string {
  if (effect.to === 'history') {
    const { kind, ...input } = effect.input;
    return `→ history ${kind} ${show(input as unknown as Json)}`;
  }
  const { to, kind, ...rest } = effect;
  return `→ ${to} ${kind} ${show(rest as unknown as Json)}`;
}

/** JSON without quotes around names, and without what is the same everywhere. */
function show(value: Json | JsonObject): string {
  const text = JSON.stringify(value, (key, member: unknown) => {
    if (key === 'run' && typeof member === 'object' && member !== null && 'runId' in member) return member.runId;
    if (key === 'options' || key === 'tenant' || key === 'stack') return undefined;
    if (key === 'pin' && typeof member === 'object' && member !== null && 'bundle' in member) return member.bundle;
    return member;
  });
  return text.replace(/"([A-Za-z][\w]*)":/g, '$1:');
}
