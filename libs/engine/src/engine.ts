import { isClosed } from '@perdure/contract';
import type { Input, SuspendReason, Transition } from '@perdure/contract';
import { accept } from './accept/accept.js';
import type { AcceptContext, Activate, Decision, EngineHost, RecordOnly, Settled, Settlement } from './decision.js';
import { Fold } from './fold.js';
import { settle, Transaction } from './settle.js';
import type { RunState } from './state.js';

/**
 * The pure state machine of a run (I5): no clock, no randomness, no I/O, no `await`. A processor drives it:
 *
 *     const decision = engine.accept(state, input, { pin, seen });
 *     switch (decision.kind) {
 *       case 'drop': case 'refuse': …answer, send decision.effects…
 *       case 'redirect': …load that run, accept again…
 *       case 'record': settled = engine.settle(state, decision);
 *       case 'activate': settled = engine.settle(state, decision, { kind: 'ran', results: decision.jobs.map(run) });
 *     }
 *     …commit settled.transition, settled.state, settled.outcomes; then let settled.effects go…
 */
export class Engine {
  readonly #host: EngineHost;

  constructor(host: EngineHost) {
    this.#host = host;
  }

  /**
   * What follows from an input. Never changes `state`.
   *
   * `state` is the run addressed: of `input.runId` if given, else the newest run of the workflow id; for a start always the newest. `undefined`: there is none.
   */
  accept(state: RunState | undefined, input: Input, context: AcceptContext = {}): Decision {
    return accept(state, input, { context, host: this.#host });
  }

  /** Turns a decision, and what the realm did, into events, effects and answers. Changes `state` in place: throw it away if the batch fails. */
  settle(state: RunState | undefined, decision: RecordOnly | Activate, settlement?: Settlement): Settled {
    return settle(state, decision, { settlement, host: this.#host });
  }

  /** Suspends a run for a reason that no input of its own brings (a poisoned task). Changes `state` in place. Of a run that is suspended or closed nothing is recorded. */
  suspend(state: RunState, { reason, inputId, at }: { readonly reason: SuspendReason; readonly inputId: string; readonly at: number }): Settled {
    if (isClosed(state.status) || state.status === 'suspended') return { state, effects: [], outcomes: [] };
    const transaction = new Transaction(state, { inputId, at: Math.max(at, state.lastAt), host: this.#host });
    transaction.record({ kind: 'suspended', reason });
    return transaction.done();
  }

  /** Folds a stored transition. Changes `state` in place and returns it; `undefined` for the first transition of a run. */
  evolve(state: RunState | undefined, transition: Transition): RunState {
    const fold = new Fold(state, transition.at, this.#host);
    for (const event of transition.events) fold.apply(event);
    return fold.state;
  }
}
