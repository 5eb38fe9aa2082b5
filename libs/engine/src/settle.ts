import type { Command, Effect, EventBody, InputOf, InputOutcome, RunResult, Transition } from '@perdure/contract';
import { isClosed } from '@perdure/contract';
import { continuationOf, pushClosingEffects, resultOf } from './closing.js';
import { pushCommandEffects } from './command-effects.js';
import type { Activate, ActivationResult, EngineHost, EngineLimits, RecordOnly, Settled, Settlement } from './decision.js';
import { Fold, statusAfter } from './fold.js';
import { checkCommands } from './limit-check.js';
import { failedWith, failure, tellChildClosed, tellSender } from './messages.js';
import { isCommandEvent, toEvent, untilClosing } from './recorded.js';
import type { RunState } from './state.js';

interface Context {
  readonly host: EngineHost;
  readonly limits: EngineLimits;
}

/** One transition in the making: each event is folded into the state as it is written, and its effects follow from the state before it. */
class Writer {
  readonly events: EventBody[] = [];
  readonly effects: Effect[] = [];
  readonly outcomes: { readonly inputId: string; readonly outcome: InputOutcome }[] = [];
  closed: RunResult | undefined;
  continuation: InputOf<'start'> | undefined;
  readonly #fold: Fold;
  readonly #at: number;
  readonly #host: EngineHost;
  readonly #before: number;

  constructor(state: RunState | undefined, at: number, host: EngineHost) {
    this.#fold = new Fold(state, at, host);
    this.#at = at;
    this.#host = host;
    this.#before = state?.lastEvent ?? 0;
  }

  get state(): RunState {
    return this.#fold.state;
  }

  write(event: EventBody): void {
    const closing = statusAfter(event);
    if (event.kind !== 'started') {
      if (isCommandEvent(event)) pushCommandEffects(this.effects, this.state, event, { at: this.#at, host: this.#host });
      if (closing !== undefined) this.#closing(event);
      if (event.kind === 'updateCompleted') this.outcomes.push({ inputId: event.updateId, outcome: { kind: 'updated', runId: this.state.run.runId, outcome: event.outcome } });
    }
    this.events.push(event);
    this.#fold.apply(event);
  }

  transition(inputId: string): Transition {
    return { first: this.#before + 1, at: this.#at, bundle: this.state.pin.bundle, inputId, events: this.events };
  }

  #closing(event: EventBody): void {
    const { state } = this;
    pushClosingEffects(this.effects, state, { event, at: this.#at, host: this.#host });
    this.closed = resultOf(state.run.runId, event);
    this.continuation = continuationOf(state, event, { at: this.#at, untaken: [] });
    const error = failure('RunClosed', 'run-closed', 'the run closed before the update had finished');
    for (const inputId of state.updates) this.outcomes.push({ inputId, outcome: { kind: 'updated', runId: state.run.runId, outcome: { status: 'failed', error } } });
  }
}

/** Turns a decision and what the realm did into a transition. Changes `state` in place. */
export function settle(state: RunState | undefined, decision: RecordOnly | Activate, { settlement, ...context }: Context & { readonly settlement?: Settlement | undefined }): Settled {
  if (decision.kind === 'activate' && settlement?.kind === 'ran' && decision.refusable) {
    const refused = refusalOf(decision, settlement.results[0]);
    if (refused) return state && decision.input.kind !== 'start' ? { state, ...refused } : refused;
  }
  if (settlement?.kind === 'setAside' && decision.input.kind === 'resume') return refusedResume(state, decision, settlement);
  const writer = new Writer(decision.input.kind === 'start' ? undefined : state, decision.at, context.host);
  if (settlement?.kind === 'ran' && settlement.pin) writer.write({ kind: 'repinned', pin: settlement.pin });
  for (const event of decision.lead) writer.write(event);
  if (settlement?.kind === 'setAside') writer.write({ kind: 'suspended', reason: settlement.reason });
  else if (decision.kind === 'activate' && settlement) writeResults(writer, decision, { results: settlement.results, limits: context.limits, host: context.host });
  const { closed, continuation, outcomes } = writer;
  return {
    state: writer.state,
    transition: writer.transition(decision.input.id),
    effects: [...decision.effects, ...writer.effects],
    outcomes: [...(decision.outcome ? [{ inputId: decision.input.id, outcome: decision.outcome }] : []), ...outcomes],
    ...(closed ? { closed } : {}),
    ...(continuation ? { continuation } : {}),
  };
}

/** The realm refused the only job: nothing is recorded but that. */
function refusalOf(decision: Activate, result: ActivationResult | undefined): Settled | undefined {
  if (result?.kind !== 'ok' || !result.output.refused) return undefined;
  const { code, message, known, error } = result.output.refused;
  const { input } = decision;
  const detail = error ? `${message}: ${error.message}` : known && known.length > 0 ? `${message}; it has ${known.join(', ')}.` : `${message}.`;
  const problem = { code, detail };
  const effects: Effect[] = [];
  if (input.kind === 'start' && input.parent) effects.push(tellChildClosed(input.parent, failedWith('StartRefused', problem), decision.at));
  if (input.kind === 'signal' && input.from) effects.push(tellSender(input.from, failedWith('SignalRefused', problem), decision.at));
  return { effects, outcomes: [{ inputId: input.id, outcome: { kind: 'refused', problem } }] };
}

function refusedResume(state: RunState | undefined, { input }: RecordOnly | Activate, { reason }: Extract<Settlement, { kind: 'setAside' }>): Settled {
  const detail = reason.kind === 'nondeterminism' ? `The history does not replay, from event ${reason.n} on:\n${reason.diff}` : `The run cannot go on: ${'message' in reason ? (reason.message ?? reason.kind) : reason.kind}`;
  return { ...(state ? { state } : {}), effects: [], outcomes: [{ inputId: input.id, outcome: { kind: 'refused', problem: { code: 'replay-differs', detail } } }] };
}

function writeResults(writer: Writer, { jobs }: Activate, { results, limits, host }: Context & { readonly results: readonly ActivationResult[] }): void {
  const commands: Command[] = [];
  for (const [index, result] of results.entries()) {
    if (result.kind === 'voided') {
      writeCommands(writer, commands, { limits, host });
      if (isClosed(writer.state.status)) return;
      const { n } = jobs[index]!;
      const { reason: limit, message } = result;
      writer.write({ kind: 'voided', n, limit, message });
      writer.write({ kind: 'suspended', reason: { kind: 'voided', n, limit, message } });
      return;
    }
    if (!result.output.refused) commands.push(...result.output.commands);
  }
  writeCommands(writer, commands, { limits, host });
}

/** All of them, or (when they pass a limit) none and the run fails. */
function writeCommands(writer: Writer, asked: readonly Command[], { limits, host }: Context): void {
  const commands = untilClosing(asked);
  const problem = checkCommands(writer.state, commands, limits);
  if (problem) return writer.write({ kind: 'runFailed', error: problem });
  for (const command of commands) {
    const { tenant, workflowId, runId } = writer.state.run;
    writer.write(toEvent(command, command.kind === 'continueAsNew' ? host.deriveRunId({ tenant, workflowId, startId: `${runId}/continued` }) : ''));
  }
}

/** Suspends a run for a reason that no input of its own brings. */
export function suspend(state: RunState, { reason, inputId, at }: { readonly reason: Extract<EventBody, { kind: 'suspended' }>['reason']; readonly inputId: string; readonly at: number }, host: EngineHost): Settled {
  if (state.status !== 'running') return { state, effects: [], outcomes: [] };
  const writer = new Writer(state, Math.max(at, state.lastAt), host);
  writer.write({ kind: 'suspended', reason });
  return { state: writer.state, transition: writer.transition(inputId), effects: [], outcomes: [] };
}
