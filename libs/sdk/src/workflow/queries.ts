import type { QueryJob } from '@perdure/contract';
import { toFailure } from '../common/failure.js';
import type { QueryToken } from '../common/tokens.js';
import { stringify } from './primordials.js';
import { looking, realm } from './realm.js';
import { field, toJson } from './serialise.js';
import { nameOf } from './signals.js';

/**
 * Declares a query with the type of its argument and of its answer.
 *
 * @example export const stage = query<void, string>('stage');
 */
export const query = <Args = void, Result = unknown>(name: string): QueryToken<Args, Result> => {
  realm.declared.query.add(nameOf(name));
  return Object.freeze({ kind: 'query', name });
};

/**
 * Answers queries of that name, also after the run has closed. The handler is synchronous and may look but ask for nothing: what it changes is taken back.
 *
 * @throws TypeError outside of a run.
 * @example onQuery('stage', () => stage);
 */
export const onQuery = <Args, Result>(token: QueryToken<Args, Result> | string, handler: (args: Args) => Result): void => {
  if (realm.mode === 'loading') throw new TypeError('onQuery() was called outside of a workflow run');
  realm.queries.set(nameOf(token), handler as (input: never) => unknown);
};

/** JSON of the query's answer; `undefined` when its name is unknown. */
export const answerQuery = (job: QueryJob): string | undefined => {
  const handler = realm.queries.get(job.name);
  if (handler === undefined) return undefined;
  try {
    const value = looking(`Query ${job.name}`, () => handler(job.input as never));
    refusePromise(value, `Query ${job.name}`);
    return `{${field('value', toJson(value, `The answer of query ${job.name}`)).slice(1)}}`;
  } catch (error) {
    return `{"error":${stringify(toFailure(error))}}`;
  }
};

export const refusePromise = (value: unknown, who: string): void => {
  if (typeof value === 'object' && value !== null && typeof (value as { then?: unknown }).then === 'function') {
    throw new TypeError(`${who} returned a promise: it must be synchronous`);
  }
};
