import type { Clock } from '@perdure/clock';
import { runKeyOf, type HistoryPage, type RunPage, type RunResult, type RunView } from '@perdure/contract';
import { RunReader, type RunFilter, type RunRef } from '@perdure/ingestion';
import type { HintBoard } from '../hints/hint-board.js';
import { MESH_LIMITS } from '../mesh-limits.js';

export interface MeshRunsDeps {
  readonly reader: Omit<RunReader, 'whenClosed'>;
  readonly board: HintBoard;
  readonly clock: Clock;
}

/** Committed runs, and hints of their closing. */
export class MeshRuns extends RunReader {
  readonly #deps: MeshRunsDeps;

  constructor(deps: MeshRunsDeps) {
    super();
    this.#deps = deps;
  }

  override find(ref: RunRef): Promise<RunView | undefined> {
    return this.#deps.reader.find(ref);
  }
  override list(tenant: string, filter: RunFilter): Promise<RunPage> {
    return this.#deps.reader.list(tenant, filter);
  }
  override history(ref: RunRef, page: { readonly after: number; readonly limit: number }): Promise<HistoryPage | undefined> {
    return this.#deps.reader.history(ref, page);
  }
  override result(ref: RunRef): Promise<RunResult | undefined> {
    return this.#deps.reader.result(ref);
  }

  /** Resolves earlier than asked, too: a hint may be lost, so the caller is to look again. */
  override async whenClosed(ref: RunRef, { untilMs, signal }: { readonly untilMs: number; readonly signal?: AbortSignal }): Promise<void> {
    const { board, clock } = this.#deps;
    const run = runKeyOf({ ...ref, runId: ref.runId ?? '' });
    // It may have closed since the caller looked.
    if (board.isClosed(run)) return;
    await board.waiters.wait(run, { untilMs: Math.min(untilMs, clock.now() + MESH_LIMITS.lookAgainAfterMs), signal, clock });
  }
}
