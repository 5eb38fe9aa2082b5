import type { SignalReceived, SignalSettled } from '@perdure/contract';
import type { Duration } from '../common/duration.js';
import { SignalFailed, TimedOut } from '../common/errors.js';
import { fromFailure } from '../common/failure.js';
import type { SignalToken } from '../common/tokens.js';
import { NativePromise, rejected, resolved, splice, stringify, then } from './primordials.js';
import { askAlways, issue, mayAsk, never, realm, takeOwedCancel, type SignalReceiver } from './realm.js';
import { failRun } from './outcome.js';
import { field, toJson } from './serialise.js';
import { armTimeout } from './timeout.js';

/**
 * Declares a signal and the type of its input. Declare it in the module, not in a function: what is declared is buffered until the code takes it; a signal that
 * no one declares or handles is refused with `unknown-signal`. A client that imports the token sends it with its type.
 *
 * @example export const approved = signal<{ by: string }>('approved');
 */
export const signal = <Input = void>(name: string): SignalToken<Input> => {
  realm.declared.signal.add(nameOf(name));
  return Object.freeze({ kind: 'signal', name });
};

export const nameOf = (token: { readonly name: string } | string): string => {
  const name = typeof token === 'string' ? token : token.name;
  if (typeof name !== 'string' || name === '') throw new TypeError('A name is needed, or a token that has one');
  return name;
};

/**
 * Calls `handler` for every signal of that name, those that arrived before it included, oldest first. A handler may be async and ask for anything a workflow may;
 * an error that leaves it fails the run. A later handler of the same name takes the place of the former.
 *
 * @throws TypeError outside of a run.
 * @example onSignal(approved, ({ by }) => { approvals.push(by); });
 */
export const onSignal = <Input>(token: SignalToken<Input> | string, handler: (input: Input) => unknown): void => {
  if (!mayAsk('onSignal()')) return;
  const name = nameOf(token);
  realm.signals.set(name, handler as (input: never) => unknown);
  // Later, so that the handler may use what is declared after it.
  then(resolved(undefined), () => deliverBuffered(name));
};

const deliverBuffered = (name: string): void => {
  for (let handler = realm.signals.get(name); handler !== undefined; handler = realm.signals.get(name)) {
    const taken = takeBuffered(name);
    if (taken === undefined) return;
    handle(handler, taken.input);
  }
};

const takeBuffered = (name: string): { readonly input?: unknown } | undefined => {
  if (realm.mode !== 'running') return undefined;
  for (let at = 0; at < realm.buffer.length; at++) {
    if (realm.buffer[at]?.name === name) return splice(realm.buffer, at, 1)[0] as { readonly input?: unknown };
  }
  return undefined;
};

const handle = (handler: (input: never) => unknown, input: unknown): void => {
  realm.signalling++;
  try {
    const done = (): void => void realm.signalling--;
    then(resolved(handler(input as never)), done, (error) => {
      done();
      failRun(error);
    });
  } catch (error) {
    realm.signalling--;
    failRun(error);
  }
};

/**
 * The next signal of that name, arrived already or yet to come.
 *
 * Rejects with `TimedOut` after `timeout` (default: none), and with `Cancelled` when the run is asked to stop.
 *
 * @example const { by } = await nextSignal(approved, { timeout: '3 days' });
 */
export const nextSignal = <Input>(token: SignalToken<Input> | string, options: { readonly timeout?: Duration } = {}): Promise<Input> => {
  if (!mayAsk('nextSignal()')) return never();
  const name = nameOf(token);
  const buffered = takeBuffered(name);
  if (buffered !== undefined) return resolved(buffered.input) as Promise<Input>;
  const owed = takeOwedCancel();
  if (owed !== undefined) return rejected(owed);
  return new NativePromise<Input>((resolve, reject) => {
    const disarm = armTimeout(options.timeout, (afterMs) => {
      realm.receivers.delete(receiver);
      reject(new TimedOut(`No signal ${name} within ${afterMs} ms`));
    });
    const receiver: SignalReceiver = {
      name,
      take: (input) => {
        disarm();
        resolve(input as Input);
      },
      cancel: (error) => {
        realm.receivers.delete(receiver);
        disarm();
        reject(error);
      },
    };
    realm.receivers.add(receiver);
  });
};

/** Hands an arrived signal to who awaits it, else to its handler, else to the buffer. False when its name is unknown. */
export const deliverSignal = ({ id, name, input }: Pick<SignalReceived, 'id' | 'name' | 'input'>): boolean => {
  for (const receiver of realm.receivers) {
    if (receiver.name !== name) continue;
    realm.receivers.delete(receiver);
    receiver.take(input);
    return true;
  }
  const handler = realm.signals.get(name);
  if (handler !== undefined) handle(handler, input);
  else if (realm.declared.signal.has(name)) realm.buffer[realm.buffer.length] = { id, name, input };
  else return false;
  return true;
};

/** A workflow id, which means its newest run; or one run of it. */
export type RunTarget = string | { readonly workflowId: string; readonly runId?: string };

/**
 * Sends a signal to another run of the tenant; resolves when that run has it. Rejects with `SignalFailed` when it cannot have it (no such run, closed, unknown name).
 *
 * @example await signalRun('inventory', restocked, { sku });
 */
export const signalRun = <Input>(target: RunTarget, token: SignalToken<Input> | string, ...[input]: undefined extends Input ? [input?: Input] : [input: Input]): Promise<void> => {
  const name = nameOf(token);
  const inputJson = toJson(input, `The input of signal ${name}`);
  return send(`signal ${name} to ${idOf(target)}`, (seq) => `{"kind":"sendSignal","seq":${seq}${targetFields(target)},"name":${stringify(name)}${field('input', inputJson)}}`);
};

/**
 * Asks another run of the tenant to stop; resolves when that run has the request. Rejects with `SignalFailed` when it cannot have it.
 *
 * @example await cancelRun('order-7');
 */
export const cancelRun = (target: RunTarget): Promise<void> =>
  send(`cancel request to ${idOf(target)}`, (seq) => `{"kind":"cancelRun","seq":${seq}${targetFields(target)}}`);

const idOf = (target: RunTarget): string => (typeof target === 'string' ? target : target.workflowId);

const targetFields = (target: RunTarget): string =>
  `,"workflowId":${stringify(nameOf(idOf(target)))}${typeof target === 'string' ? '' : field('runId', toJson(target.runId, 'runId'))}`;

const send = (what: string, command: (seq: number) => string): Promise<void> => {
  if (!mayAsk(`the ${what}`)) return never();
  return askAlways<void>((seq, { resolve, reject }) => {
    issue(command(seq));
    return {
      settle: (job) => {
        const { outcome } = job as SignalSettled;
        if (outcome.status === 'completed') resolve();
        else reject(new SignalFailed(`The ${what} did not arrive: ${outcome.error.message}`, { cause: fromFailure(outcome.error) }));
      },
    };
  });
};
