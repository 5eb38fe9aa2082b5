import type { EventReceived, ExternalEvent, Scalar, WaitRefused, WaitTimedOut } from '@perdure/contract';
import { TimedOut } from '../common/errors.js';
import { type Duration, durationMs } from '../common/duration.js';
import { fromFailure } from '../common/failure.js';
import { stringify } from './primordials.js';
import { ask, issue, realm } from './realm.js';
import { field, toJson } from './serialise.js';

export interface ReceiveOptions {
  /** Keys of the event that must be equal, its routing key among them. Default: none. */
  readonly match?: Readonly<Record<string, Scalar>>;
  /** Rejects with `TimedOut` after that long. Default: waits as long as the run may live. */
  readonly timeout?: Duration;
  /** Only events that arrived at or after this time (a Date, or epoch milliseconds). Default: however old; an event may be older than the run. */
  readonly since?: Date | number;
  /** A JMESPath expression over the event's data; the event matches when it yields a truthy value. */
  readonly filter?: string;
}

/** An external event with its data. `time` is the sender's word, epoch milliseconds. */
export type ReceivedEvent<T> = Omit<ExternalEvent, 'tenant' | 'data' | 'trace'> & { readonly data: T };

/**
 * Waits for an external event (a CloudEvent or webhook) and resolves with its data. It does not matter which comes first, the event or the wait; each event is
 * taken once. `receive.event` resolves with the whole event: id, source, type, time, subject, keys and data.
 *
 * Rejects with `TimedOut` after `timeout`, with an error named `InvalidFilter` when the filter is no expression, and with `Cancelled` when the run is asked to stop.
 *
 * @example const scan = await receive<Scan>('carrier.delivered', { match: { tracking: parcel.tracking }, timeout: '7 days' });
 */
export const receive = <T = unknown>(type: string, options: ReceiveOptions = {}): Promise<T> => wait(type, options, (event) => event.data as T);

receive.event = <T = unknown>(type: string, options: ReceiveOptions = {}): Promise<ReceivedEvent<T>> =>
  wait(type, options, ({ tenant: _tenant, ...event }) => event as ReceivedEvent<T>);

/** JSON leaves out what is undefined. */
const isKey = (value: unknown): boolean => value === undefined || typeof value === 'string' || typeof value === 'boolean' || (typeof value === 'number' && Number.isFinite(value));

const wait = <R>(type: string, options: ReceiveOptions, pick: (event: ExternalEvent) => R): Promise<R> => {
  const { match = {}, timeout, since, filter } = options;
  if (typeof type !== 'string' || type === '') throw new TypeError('receive() needs the type of the event');
  const odd = Object.entries(match).find(([, value]) => !isKey(value));
  if (odd) throw new TypeError(`receive() compares keys with strings, numbers and booleans; match.${odd[0]} is ${typeof odd[1] === 'number' || odd[1] === null ? String(odd[1]) : `of type ${typeof odd[1]}`}`);
  const sinceMs = since === undefined ? undefined : Number(since);
  if (sinceMs !== undefined && !Number.isFinite(sinceMs)) throw new TypeError('since must be a Date or epoch milliseconds');
  const timeoutMs = timeout === undefined ? undefined : durationMs(timeout);
  const spec = `{"type":${stringify(type)},"match":${toJson(match, `What event ${type} must match`)}${field('filter', toJson(filter, 'filter'))}${field('sinceMs', toJson(sinceMs, 'since'))}}`;
  return ask<R>('receive()', (seq, { resolve, reject }) => {
    issue(`{"kind":"openWait","seq":${seq},"wait":${spec}${timeoutMs === undefined ? '' : `,"timeoutMs":${timeoutMs}`}}`);
    return {
      settle: (job) => {
        const event = job as EventReceived | WaitTimedOut | WaitRefused;
        if (event.kind === 'eventReceived') resolve(pick(event.event));
        else if (event.kind === 'waitRefused') reject(fromFailure(event.error));
        else reject(new TimedOut(`No event ${type} within ${timeoutMs} ms`));
      },
      cancel: (error) => {
        realm.pending.delete(seq);
        issue(`{"kind":"cancelWait","seq":${seq}}`);
        reject(error);
      },
    };
  });
};
