import { idempotencyKeyOf } from '@perdure/contract';
import type { ActivityClosed, ActivityScheduled, RollbackStep } from '@perdure/contract';
import { given } from './json.js';
import type { RunState, UndoRecord } from './state.js';

/** The activity that a registered undo takes back is on its way: from now on its effect is possible. */
export function noteScheduled(undo: UndoRecord[], { seq, input }: ActivityScheduled): void {
  const record = undo.findLast((each) => each.activitySeq === seq);
  if (record === undefined) return;
  record.activity = 'unknown';
  if (input !== undefined) record.input = input;
}

/** A failed activity was not applied, so its undo goes; one that timed out or was cancelled may have been. */
export function noteClosed(undo: UndoRecord[], { seq, outcome }: ActivityClosed): void {
  const at = undo.findLastIndex((each) => each.activitySeq === seq);
  const record = undo[at];
  if (record === undefined) return;
  if (outcome.status === 'failed') undo.splice(at, 1);
  if (outcome.status !== 'completed') return;
  record.activity = 'completed';
  if (outcome.value !== undefined) record.result = outcome.value;
}

/** What has to be taken back, last registered first; of one saga, or of all. */
export function rollbackSteps(state: RunState, saga?: number): RollbackStep[] {
  const mine = state.undo.filter((record) => record.activity !== 'registered' && (saga === undefined || record.saga === saga));
  return mine.reverse().map(({ activity: _, input, result, ...step }) => ({
    ...step,
    undo: given({ input, idempotencyKey: idempotencyKeyOf({ run: state.run, seq: step.activitySeq, role: 'activity' }), result }),
  }));
}
