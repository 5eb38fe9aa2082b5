import type { Outcome } from '@perdure/contract';
import type { RollbackRow } from './rows.js';

/** Failed steps that the message spells out, and that `details` lists; the audit log has them all. */
const TOLD_MAX = 3;
const LISTED_MAX = 100;
const MESSAGE_CHARS_MAX = 300;

/** How a rollback ended: completed, or failed with the steps that failed named. */
export const outcomeOf = ({ request, done }: RollbackRow): Outcome => {
  const failed = done.flatMap(({ outcome }, at) => (outcome.status === 'completed' ? [] : [{ step: request.steps[at]!, outcome }]));
  if (failed.length === 0) return { status: 'completed' };
  const told = failed.slice(0, TOLD_MAX).map(({ step, outcome }) => `${step.name} (for activity ${step.activitySeq}): ${short(outcome.error.message)}`);
  const rest = failed.length > TOLD_MAX ? ` and ${failed.length - TOLD_MAX} more` : '';
  const details = failed.slice(0, LISTED_MAX).map(({ step: { undoSeq, name, activitySeq }, outcome: { status, error } }) => ({ undoSeq, name, activitySeq, status, message: short(error.message) }));
  return { status: 'failed', error: { type: 'CompensationFailed', message: `${failed.length} of ${done.length} undo steps failed: ${told.join('; ')}${rest}`, details, cause: failed[0]!.outcome.error } };
};

const short = (message: string): string => (message.length > MESSAGE_CHARS_MAX ? `${message.slice(0, MESSAGE_CHARS_MAX)}…` : message);
