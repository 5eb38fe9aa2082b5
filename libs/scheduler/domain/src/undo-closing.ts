import type { Outcome, RunKey } from '@perdure/contract';

/** How an undo task closed: compensation's counterpart of history's `activityClosed`. */
export interface UndoClosing {
  readonly run: RunKey;
  readonly undoSeq: number;
  readonly outcome: Outcome;
  readonly attempts: number;
}
