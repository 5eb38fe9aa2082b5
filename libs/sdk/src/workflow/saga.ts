import type { Compensated } from '@perdure/contract';
import { CompensationFailed } from '../common/errors.js';
import { fromFailure } from '../common/failure.js';
import type { Undo } from '../common/tokens.js';
import { schedule, stubFacts } from './activities.js';
import { resolved } from './primordials.js';
import { askAlways, issue, mayAsk, never, realm } from './realm.js';

/** A list of undo steps that the run has registered. */
export interface Saga {
  /**
   * Runs `activity` with `input`, and registers `undo` for it before it is scheduled: the undo runs at `compensate()` if the activity completed or its outcome is
   * unknown (timed out, cancelled). Both are functions from `activities()`. The undo receives `{ input, idempotencyKey, result? }` of the activity.
   */
  run<Input, Result>(activity: (input: Input) => Promise<Result>, input: NoInfer<Input>, undo: (step: Undo<NoInfer<Input>, NoInfer<Result>>) => Promise<unknown>): Promise<Result>;
  /** Runs the registered undo steps, the last first; nothing to undo resolves at once. A cancel request does not stop it. Rejects with `CompensationFailed`. */
  compensate(): Promise<void>;
}

/**
 * A new saga. A run may have several. Terminating a run with `compensate` runs the undo steps of all of them.
 *
 * @example
 * const undo = saga();
 * try {
 *   const hold = await undo.run(reserve, order, release);
 *   await undo.run(charge, order, refund);
 * } catch (error) {
 *   await undo.compensate();
 *   throw error;
 * }
 */
export const saga = (): Saga => {
  if (!mayAsk('saga()')) return { run: () => never(), compensate: () => never() };
  const id = ++realm.sagas;
  let steps = 0;
  return {
    run: (activity, input, undo) => {
      const activityFacts = stubFacts(activity, 'The activity of a saga');
      const { nameJson, optionsJson } = stubFacts(undo, 'The undo of a saga');
      return schedule(activityFacts, input, (seq) => {
        steps++;
        issue(`{"kind":"registerUndo","undo":{"undoSeq":${++realm.undoSeq},"saga":${id},"activitySeq":${seq},"name":${nameJson},"options":${optionsJson}}}`);
      });
    },
    compensate: () => {
      if (!mayAsk('compensate()')) return never();
      if (steps === 0) return resolved(undefined);
      steps = 0;
      return compensate(id);
    },
  };
};

const compensate = (id: number): Promise<void> =>
  askAlways<void>((seq, { resolve, reject }) => {
    issue(`{"kind":"compensate","seq":${seq},"saga":${id}}`);
    return {
      settle: (job) => {
        const { outcome } = job as Compensated;
        if (outcome.status === 'completed') resolve();
        else reject(new CompensationFailed(`The saga could not be undone: ${outcome.error.message}`, { cause: fromFailure(outcome.error) }));
      },
    };
  });
