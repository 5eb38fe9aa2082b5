import type { Clock } from '@perdure/clock';
import { inputKeyOf, type InputOutcome, type InputRef } from '@perdure/contract';
import { Outcomes } from '@perdure/ingestion';
import type { HintBoard } from '../hints/hint-board.js';
import { MESH_LIMITS } from '../mesh-limits.js';

export interface MeshOutcomesDeps {
  /** Committed outcomes. */
  readonly reader: { outcome(ref: InputRef): Promise<InputOutcome | undefined> };
  readonly board: HintBoard;
  readonly clock: Clock;
}

/** A hint brings the outcome along, after the commit that made it; without one the store is asked from time to time. */
export class MeshOutcomes extends Outcomes {
  readonly #deps: MeshOutcomesDeps;

  constructor(deps: MeshOutcomesDeps) {
    super();
    this.#deps = deps;
  }

  override find(ref: InputRef): Promise<InputOutcome | undefined> {
    return this.#deps.reader.outcome(ref);
  }

  override async await(ref: InputRef, { untilMs, done, signal }: { readonly untilMs: number; readonly done: (outcome: InputOutcome) => boolean; readonly signal?: AbortSignal }): Promise<InputOutcome | undefined> {
    const { board, clock } = this.#deps;
    const key = inputKeyOf(ref);
    let outcome = board.outcome(key);
    while (!(outcome && done(outcome)) && clock.now() < untilMs && !signal?.aborted) {
      const lookAtMs = Math.min(untilMs, clock.now() + MESH_LIMITS.lookAgainAfterMs);
      await board.waiters.wait(key, { untilMs: lookAtMs, signal, clock });
      const hinted = board.outcome(key);
      outcome = hinted && done(hinted) ? hinted : await this.find(ref);
    }
    return outcome;
  }
}
