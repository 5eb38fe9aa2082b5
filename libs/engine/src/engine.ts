import { LIMITS } from '@perdure/contract';
import type { Input, SuspendReason, Transition } from '@perdure/contract';
import { decide } from './accept.js';
import type { AcceptContext, Activate, Decision, EngineHost, EngineLimits, RecordOnly, Settled, Settlement } from './decision.js';
import { Fold } from './fold.js';
import { settle, suspend } from './settle.js';
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
  readonly #limits: EngineLimits;

  constructor(host: EngineHost) {
    this.#host = host;
    this.#limits = host.limits ?? LIMITS;
  }

  /**
   * What follows from an input. Never changes `state`.
   *
   * `state` is the run addressed: of `input.runId` if given, else the newest run of the workflow id; for a start always the newest. `undefined`: there is none.
   */
  accept(state: RunState | undefined, input: Input, context: AcceptContext = {}): Decision {
    return decide(state, input, { host: this.#host, context });
  }

  /** Turns a decision, and what the realm did, into events, effects and answers. Changes `state` in place: throw it away if the batch fails. */
  settle(state: RunState | undefined, decision: RecordOnly | Activate, settlement?: Settlement): Settled {
    return settle(state, decision, { settlement, host: this.#host, limits: this.#limits });
  }

  /** Suspends a run for a reason that no input of its own brings (a poisoned task). Changes `state` in place. Nothing is recorded of a run that is not running. */
  suspend(state: RunState, request: { readonly reason: SuspendReason; readonly inputId: string; readonly at: number }): Settled {
    return suspend(state, request, this.#host);
  }

  /** Folds a stored transition. Changes `state` in place and returns it; `undefined` for the first transition of a run. */
  evolve(state: RunState | undefined, transition: Transition): RunState {
    const fold = new Fold(state, transition.at, this.#host);
    for (const event of transition.events) fold.apply(event);
    return fold.state;
  }
}
