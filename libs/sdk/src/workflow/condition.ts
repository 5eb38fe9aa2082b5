import type { Duration } from '../common/duration.js';
import { TimedOut } from '../common/errors.js';
import { NativePromise, rejected, resolved } from './primordials.js';
import { looking, mayAsk, never, realm, takeOwedCancel, type Condition } from './realm.js';
import { armTimeout } from './timeout.js';

/**
 * Resolves as soon as `predicate` is true. It is evaluated at once and after everything that happens to the run; it may look but ask for nothing.
 *
 * Rejects with what the predicate throws, with `TimedOut` after `timeout`, and with `Cancelled` when the run is asked to stop.
 *
 * @param timeout default: none.
 * @example
 * let approvals = 0;
 * onSignal(approved, () => { approvals++; });
 * await condition(() => approvals >= 2, '3 days');
 */
export const condition = (predicate: () => boolean, timeout?: Duration): Promise<void> => {
  if (!mayAsk('condition()')) return never();
  if (looking('A condition', predicate)) return resolved(undefined);
  const owed = takeOwedCancel();
  if (owed !== undefined) return rejected(owed);
  return new NativePromise<void>((resolve, reject) => {
    const leave = (): void => {
      realm.conditions.delete(waiting);
      disarm();
    };
    const waiting: Condition = {
      check: () => {
        try {
          if (!looking('A condition', predicate)) return false;
          resolve();
        } catch (error) {
          reject(error);
        }
        leave();
        return true;
      },
      cancel: (error) => {
        leave();
        reject(error);
      },
    };
    const disarm = armTimeout(timeout, (afterMs) => {
      realm.conditions.delete(waiting);
      reject(new TimedOut(`The condition was not met within ${afterMs} ms`));
    });
    realm.conditions.add(waiting);
  });
};

/** Evaluates what waits; true when something settled, so that the realm's jobs must run once more. */
export const checkConditions = (): boolean => {
  let settled = false;
  for (const waiting of [...realm.conditions]) if (waiting.check()) settled = true;
  return settled;
};
