import type { Clock } from '@perdure/clock';
import { inputRefOf, type Input, type InputOutcome, type InputRef } from '@perdure/contract';
import { answerFor, contentOf, type DecidedInput } from '@perdure/identity';
import { Outcomes } from '@perdure/ingestion';
import type { HintBoard } from '../hints/hint-board.js';
import { decidedKeyOf } from '../hints/hints.js';
import { MESH_LIMITS } from '../mesh-limits.js';

export interface MeshOutcomesDeps {
  /** Committed outcomes. */
  readonly reader: { decided(ref: InputRef): Promise<DecidedInput | undefined> };
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

  override async find(ref: InputRef): Promise<InputOutcome | undefined> {
    return (await this.#deps.reader.decided(ref))?.outcome;
  }

  override async await(input: Input, { untilMs, done, signal }: { readonly untilMs: number; readonly done: (outcome: InputOutcome) => boolean; readonly signal?: AbortSignal }): Promise<InputOutcome | undefined> {
    const { board, clock } = this.#deps;
    const ref = inputRefOf(input);
    const key = decidedKeyOf(ref, contentOf(input));
    let outcome = board.outcome(key);
    while (!(outcome && done(outcome)) && clock.now() < untilMs && !signal?.aborted) {
      const lookAtMs = Math.min(untilMs, clock.now() + MESH_LIMITS.lookAgainAfterMs);
      await board.waiters.wait(key, { untilMs: lookAtMs, signal, clock });
      const hinted = board.outcome(key);
      outcome = hinted && done(hinted) ? hinted : await this.#stored(input, ref);
    }
    return outcome;
  }

  async #stored(input: Input, ref: InputRef): Promise<InputOutcome | undefined> {
    const decided = await this.#deps.reader.decided(ref);
    return decided && answerFor(input, decided);
  }
}
