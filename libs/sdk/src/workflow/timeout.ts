import { type Duration, durationMs } from '../common/duration.js';
import { askAlways } from './realm.js';
import { cancelTimer, startTimer } from './sleep.js';

/** A durable timer beside something else that is awaited; returns what disarms it. */
export const armTimeout = (timeout: Duration | undefined, onFired: (afterMs: number) => void): (() => void) => {
  if (timeout === undefined) return () => undefined;
  const delayMs = durationMs(timeout);
  let timer = 0;
  void askAlways<void>((seq) => {
    timer = seq;
    startTimer(seq, delayMs);
    return { settle: () => onFired(delayMs) };
  });
  return () => cancelTimer(timer);
};
