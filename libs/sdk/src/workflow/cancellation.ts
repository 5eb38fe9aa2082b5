import { rejected, resolved, then } from './primordials.js';
import { cancelledError, mayAsk, never, realm } from './realm.js';

/**
 * Whether the run has been asked to stop.
 *
 * @example while (!isCancelRequested()) await processBatch();
 */
export const isCancelRequested = (): boolean => realm.cancelRequested !== undefined;

/**
 * Calls `listener` when the run is asked to stop, before what is pending hears of it; at once, if that has happened. Returns what removes it.
 *
 * @example onCancel((reason) => { stage = `stopping: ${reason ?? 'no reason given'}`; });
 */
export const onCancel = (listener: (reason: string | undefined) => unknown): (() => void) => {
  if (!mayAsk('onCancel()')) return () => undefined;
  if (realm.cancelRequested !== undefined) listener(realm.cancelRequested.reason);
  else realm.cancelListeners.add(listener);
  return () => void realm.cancelListeners.delete(listener);
};

/**
 * Runs `section` to its end: a cancel request that arrives meanwhile is held back, for the whole run, and delivered when the section (and every other open one)
 * has ended, to what is pending then or else to the next thing asked for.
 *
 * @example await nonCancellable(async () => { await charge(order); await record(order); });
 */
export const nonCancellable = <T>(section: () => Promise<T> | T): Promise<T> => {
  if (!mayAsk('nonCancellable()')) return never();
  realm.sections++;
  const leave = (): void => {
    realm.sections--;
    if (realm.sections === 0 && realm.cancelOwed) deliverCancel();
  };
  return then(
    settleOf(section),
    (value) => {
      leave();
      return value;
    },
    (error) => {
      leave();
      throw error;
    },
  ) as Promise<T>;
};

const settleOf = <T>(section: () => T): Promise<unknown> => {
  try {
    return resolved(section());
  } catch (error) {
    return rejected(error);
  }
};

/** A cancel request has arrived. Only the first one counts. */
export const requestCancel = (reason: string | undefined): void => {
  if (realm.cancelRequested !== undefined) return;
  realm.cancelRequested = { reason };
  for (const listener of realm.cancelListeners) listener(reason);
  realm.cancelListeners.clear();
  realm.cancelOwed = true;
  if (realm.sections === 0) deliverCancel();
};

/** To all that is pending, in the order in which it was asked for; what has a seq comes first. */
const deliverCancel = (): void => {
  if (realm.mode !== 'running') return;
  const error = cancelledError();
  for (const pending of [...realm.pending.values()]) {
    if (pending.cancel === undefined) continue;
    realm.cancelOwed = false;
    pending.cancel(error);
  }
  for (const waiting of [...realm.conditions, ...realm.receivers]) {
    realm.cancelOwed = false;
    waiting.cancel(error);
  }
};
