import { type Duration, durationMs } from '../common/duration.js';
import { ask, issue, realm } from './realm.js';

/**
 * Resolves after that long, however often the process is restarted in between. Costs nothing while it waits.
 *
 * @param duration at most ten years; 0 goes once round through the log.
 * @throws PerdureError `invalid-duration`. Rejects with `Cancelled` when the run is asked to stop.
 * @example await sleep('7 days');
 */
export const sleep = (duration: Duration): Promise<void> => {
  const delayMs = durationMs(duration);
  return ask<void>('sleep()', (seq, { resolve, reject }) => {
    startTimer(seq, delayMs);
    return {
      settle: () => resolve(),
      cancel: (error) => {
        cancelTimer(seq);
        reject(error);
      },
    };
  });
};

export const startTimer = (seq: number, delayMs: number): void => issue(`{"kind":"startTimer","seq":${seq},"durationMs":${delayMs}}`);

export const cancelTimer = (seq: number): void => {
  if (realm.pending.delete(seq)) issue(`{"kind":"cancelTimer","seq":${seq}}`);
};
