import type { CarriedSignal, Refusal } from '@perdure/contract';
import { Cancelled } from '../common/errors.js';
import { NativePromise, rejected, stringify } from './primordials.js';
import type { WorkflowInfo } from './info.js';

/**
 * The state of the one run that lives in this realm.
 *
 * 1. Commands leave in the order in which the code asked; `seq` counts 1, 2, 3… without gaps.
 * 2. Nothing is asked while the bundle loads, by a query, a validator or a condition's predicate, or after the run has closed.
 * 3. What is pending settles once: a job for a seq that is not pending changes nothing.
 * 4. A cancel request is delivered once, to all that is pending at that moment, or else to the next thing asked for.
 */
export type Mode = 'loading' | 'running' | 'closed';

/** Something asked for under a seq that a job will settle. */
export interface Pending {
  settle(job: unknown): void;
  /** A cancel request reached it. Absent: it is not cancelled. */
  cancel?(error: Cancelled): void;
}

/** Something awaited that no job settles directly: a condition, a signal. */
export interface Waiting {
  cancel(error: Cancelled): void;
}

export interface SignalReceiver extends Waiting {
  readonly name: string;
  take(input: unknown): void;
}

export interface UpdateHandler {
  readonly handle: (input: never) => unknown;
  readonly validate?: (input: never) => unknown;
}

export interface Condition extends Waiting {
  /** Evaluates the predicate; true when it has settled. */
  check(): boolean;
}

export const realm = {
  mode: 'loading' as Mode,
  /** Set while code runs that may issue no command: who it is. */
  readonly: undefined as string | undefined,
  /** Time of the job being processed, epoch milliseconds. */
  now: 0,
  seq: 0,
  undoSeq: 0,
  sagas: 0,
  commands: [] as string[],
  logs: [] as string[],
  logChars: 0,
  refused: undefined as Refusal | undefined,
  /** JSON of a query's answer. */
  answer: undefined as string | undefined,
  info: undefined as WorkflowInfo | undefined,
  pending: new Map<number, Pending>(),
  conditions: new Set<Condition>(),
  receivers: new Set<SignalReceiver>(),
  signals: new Map<string, (input: never) => unknown>(),
  buffer: [] as CarriedSignal[],
  queries: new Map<string, (input: never) => unknown>(),
  updates: new Map<string, UpdateHandler>(),
  /** Ids of updates whose handler has not finished. */
  updating: new Set<string>(),
  /** Signal handlers that have not finished. */
  signalling: 0,
  declared: { signal: new Set<string>(), query: new Set<string>(), update: new Set<string>() },
  cancelRequested: undefined as { readonly reason?: string } | undefined,
  /** The request was made but there was nothing to deliver it to yet. */
  cancelOwed: false,
  /** Open `nonCancellable` sections. */
  sections: 0,
  cancelListeners: new Set<(reason: string | undefined) => unknown>(),
};

/** Whether a command may be issued now: false once the run has closed. Throws where commands are forbidden (2). */
export const mayAsk = (what: string): boolean => {
  if (realm.readonly !== undefined) throw new TypeError(`${realm.readonly} may not call ${what}: it may only look`);
  if (realm.mode === 'loading') throw new TypeError(`${what} was called outside of a workflow run`);
  return realm.mode === 'running';
};

/** What is asked for after the run has closed never settles. */
export const never = <T>(): Promise<T> => new NativePromise<T>(() => undefined);

export const issue = (command: string): void => {
  realm.commands[realm.commands.length] = command;
};

export interface Settle<T> {
  resolve(value: T): void;
  reject(error: unknown): void;
}

/** Asks for something under the next seq; a cancel request that is still owed settles it at once. */
export const ask = <T>(what: string, start: (seq: number, settle: Settle<T>) => Pending): Promise<T> => {
  if (!mayAsk(what)) return never();
  const owed = takeOwedCancel();
  if (owed !== undefined) return rejected(owed);
  return askAlways(start);
};

/** `ask` for what a cancel request does not concern. The caller has asked `mayAsk`. */
export const askAlways = <T>(start: (seq: number, settle: Settle<T>) => Pending): Promise<T> => {
  let resolve!: (value: T) => void;
  let reject!: (error: unknown) => void;
  const promise = new NativePromise<T>((onValue, onError) => {
    resolve = onValue;
    reject = onError;
  });
  const seq = ++realm.seq;
  realm.pending.set(seq, start(seq, { resolve, reject }));
  return promise;
};

/** Runs code that may only look (2). */
export const looking = <T>(who: string, look: () => T): T => {
  const before = realm.readonly;
  realm.readonly = who;
  try {
    return look();
  } finally {
    realm.readonly = before;
  }
};

export const cancelledError = (): Cancelled => {
  const reason = realm.cancelRequested?.reason;
  return new Cancelled(reason === undefined ? 'The run was asked to stop' : `The run was asked to stop: ${reason}`);
};

/** Invariant 4: the first thing asked for takes a request that found nothing to cancel. */
export const takeOwedCancel = (): Cancelled | undefined => {
  if (!realm.cancelOwed || realm.sections > 0) return undefined;
  realm.cancelOwed = false;
  return cancelledError();
};

/** Ends the run with this command; nothing is issued after it. Updates still at work are answered first. */
export const close = (command: string): void => {
  if (realm.mode !== 'running') return;
  for (const updateId of realm.updating) {
    issue(`{"kind":"completeUpdate","updateId":${stringify(updateId)},"outcome":{"status":"failed","error":{"type":"RunClosed","message":"The run closed before the update had finished"}}}`);
  }
  realm.updating.clear();
  issue(command);
  realm.mode = 'closed';
  realm.pending.clear();
  realm.conditions.clear();
  realm.receivers.clear();
};
