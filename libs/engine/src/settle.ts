import { isClosed, LIMITS } from '@perdure/contract';
import type { Command, Effect, EventBody, Failure, InputOutcome, JobEvent, Outcome, ProblemData, Refusal, RunResult } from '@perdure/contract';
import { effectsOfRefusal } from './accept/plan.js';
import { effectsOfRefusedStart } from './accept/start.js';
import { assert } from './assert.js';
import { continuationOf, pushClosingEffects, resultOf } from './closing.js';
import { pushCommandEffects } from './command-effects.js';
import type { Activate, Activation, ActivationResult, EngineHost, RecordOnly, Settled, Settlement } from './decision.js';
import { Fold, statusAfter } from './fold.js';
import { given } from './json.js';
import { checkCommands } from './limit-check.js';
import { failure } from './messages.js';
import { commandsOf, isClosingCommand, isCommandEvent, toEvent, untilClosing } from './recorded.js';
import type { RunState } from './state.js';

export interface TransactionHeader {
  readonly inputId: string;
  readonly at: number;
  readonly host: EngineHost;
}

/** One transition in the making: each event is folded as it is recorded, so the state is the history's fold at every moment. */
export class Transaction {
  readonly #header: TransactionHeader;
  readonly #fold: Fold;
  readonly #first: number;
  readonly #events: EventBody[] = [];
  readonly #effects: Effect[];
  readonly #outcomes = new Map<string, InputOutcome>();
  #closedBy: EventBody | undefined;
  #untaken: readonly JobEvent[] = [];

  constructor(state: RunState | undefined, header: TransactionHeader, effects: readonly Effect[] = []) {
    this.#header = header;
    this.#first = (state?.lastEvent ?? 0) + 1;
    this.#fold = new Fold(state, header.at, header.host);
    this.#effects = [...effects];
  }

  answer(outcome: InputOutcome | undefined): void {
    if (outcome) this.#outcomes.set(this.#header.inputId, outcome);
  }

  record(event: EventBody): void {
    const { at, host } = this.#header;
    if (event.kind !== 'started') {
      const { state } = this.#fold;
      if (isCommandEvent(event)) {
        pushCommandEffects(this.#effects, event, { state, at, host });
        if (event.kind === 'updateCompleted' && state.updates.includes(event.updateId)) this.#answerUpdate(event.updateId, event.outcome);
      }
      if (statusAfter(event)) this.#beforeClose(event);
    }
    this.#fold.apply(event);
    this.#events.push(event);
  }

  #answerUpdate(updateId: string, outcome: Outcome): void {
    this.#outcomes.set(updateId, { kind: 'updated', runId: this.#fold.state.run.runId, outcome });
  }

  #beforeClose(event: EventBody): void {
    const { state } = this.#fold;
    const { at, host } = this.#header;
    pushClosingEffects(this.#effects, state, { event, at, host });
    const error = failure('RunClosed', 'run-closed', 'the run closed before the update had finished');
    for (const id of state.updates) this.#answerUpdate(id, { status: 'failed', error });
    this.#closedBy = event;
  }

  /** Returns whether the run's code goes on. */
  runCommands(asked: readonly Command[], untaken: readonly JobEvent[]): boolean {
    const { host } = this.#header;
    const { state } = this.#fold;
    const commands = untilClosing(asked);
    const error = checkCommands(state, commands, host.limits ?? LIMITS);
    if (error) {
      this.fail(error);
      return false;
    }
    this.#untaken = untaken;
    const { tenant, workflowId, runId } = state.run;
    for (const command of commands) {
      const nextRunId = isClosingCommand(command) ? host.deriveRunId({ tenant, workflowId, startId: `${runId}/continued` }) : '';
      this.record(toEvent(command, nextRunId));
    }
    return !isClosed(state.status);
  }

  fail(error: Failure): void {
    this.record({ kind: 'runFailed', error });
  }

  done(): Settled {
    const { at, inputId } = this.#header;
    const { state } = this.#fold;
    const outcomes = [...this.#outcomes].map(([id, outcome]) => ({ inputId: id, outcome }));
    const transition = { first: this.#first, at, bundle: state.pin.bundle, inputId, events: this.#events };
    const closedBy = this.#closedBy;
    const continuation = closedBy && continuationOf(state, closedBy, { at, untaken: this.#untaken });
    const closed: RunResult | undefined = closedBy && resultOf(state.run.runId, closedBy);
    return given({ state, transition, effects: this.#effects, outcomes, continuation, closed });
  }
}

export function settle(state: RunState | undefined, decision: RecordOnly | Activate, { settlement, host }: { readonly settlement?: Settlement; readonly host: EngineHost }): Settled {
  if (decision.kind === 'activate') {
    const refused = refusalOf(decision, settlement);
    if (refused) return refusedSettled(state, decision, refused);
  }
  const isStart = decision.input.kind === 'start';
  const transaction = new Transaction(isStart ? undefined : state, { inputId: decision.input.id, at: decision.at, host }, decision.effects);
  transaction.answer(decision.outcome);
  if (decision.kind === 'activate' && decision.repinTo !== undefined) {
    assert(settlement?.kind === 'ran' && settlement.pin?.bundle === decision.repinTo, 'a resume on another bundle is settled with its pin (I6)');
    transaction.record({ kind: 'repinned', pin: settlement.pin });
  }
  for (const event of decision.lead) transaction.record(event);
  if (decision.kind === 'record') return transaction.done();
  assert(settlement, 'an activation is settled with what the realm did');
  if (settlement.kind === 'setAside') transaction.record({ kind: 'suspended', reason: settlement.reason });
  else runJobs(transaction, decision, settlement);
  return transaction.done();
}

function runJobs(transaction: Transaction, { jobs }: Activate, { results, jobs: loaded = [] }: Extract<Settlement, { kind: 'ran' }>): void {
  for (const [i, activation] of jobs.entries()) {
    const result = results[i];
    assert(result, `activation ${i + 1} of ${jobs.length} has a result, as the one before left the run open`);
    if (result.kind === 'voided') return recordVoid(transaction, activation, result);
    const job = activation.job ?? loaded[i];
    assert(job, `event ${activation.n}, a deferred job, is given with its result`);
    if (!transaction.runCommands(commandsOf(job, result.output), loaded.slice(i + 1))) return;
  }
}

/** A limit is a fact, not a result: nothing of the activation counts, and the run waits for an operator (design §7). */
function recordVoid(transaction: Transaction, { n }: Activation, { reason, message }: Extract<ActivationResult, { kind: 'voided' }>): void {
  transaction.record({ kind: 'voided', job: n, limit: reason, message });
  transaction.record({ kind: 'suspended', reason: { kind: 'voided', n, limit: reason, message } });
}

/** Why nothing at all is recorded, if so. */
function refusalOf(decision: Activate, settlement: Settlement | undefined): ProblemData | undefined {
  if (settlement?.kind === 'setAside') {
    if (decision.input.kind !== 'resume') return undefined;
    const { reason } = settlement;
    const why = 'message' in reason ? (reason.message ?? reason.kind) : reason.kind;
    return { code: 'replay-differs', detail: reason.kind === 'nondeterminism' ? `The history does not replay, from event ${reason.n} on:\n${reason.diff}` : `The run cannot go on: ${why}` };
  }
  const first = settlement?.results[0];
  const refused = decision.refusable && first?.kind === 'ok' ? first.output.refused : undefined;
  return refused && problemOf(refused);
}

function problemOf({ code, message, known, error }: Refusal): ProblemData {
  // The SDK's message is the validator's own.
  const detail = error ? (message === error.message ? message : `${message}: ${error.message}`) : known && known.length > 0 ? `${message}; it has ${known.join(', ')}.` : `${message}.`;
  return given({ code, detail, errors: error && { type: error.type, message: error.message } });
}

function refusedSettled(state: RunState | undefined, { input }: Activate, problem: ProblemData): Settled {
  const isStart = input.kind === 'start';
  const effects = isStart ? effectsOfRefusedStart(input, problem) : effectsOfRefusal(input, problem);
  return given({ state: isStart ? undefined : state, effects, outcomes: [{ inputId: input.id, outcome: { kind: 'refused' as const, problem } }] });
}

