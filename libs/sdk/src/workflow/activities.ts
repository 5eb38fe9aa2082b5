import type { ActivityClosed, Outcome } from '@perdure/contract';
import { toInput } from '../common/arguments.js';
import { ActivityFailed, TimedOut } from '../common/errors.js';
import { fromFailure } from '../common/failure.js';
import { stringify } from './primordials.js';
import { type ActivityOptions, toWireOptions } from './activity-options.js';
import { ask, issue } from './realm.js';
import { field, toJson } from './serialise.js';

type AnyActivity = (...args: never[]) => unknown;

/** An activity as workflow code sees it: calling it schedules the activity and resolves with its recorded result. */
export interface ActivityStub<F extends AnyActivity> {
  (...args: Parameters<F>): Promise<Awaited<ReturnType<F>>>;
  /** The same activity with some options changed. */
  with(options: ActivityOptions): ActivityStub<F>;
}

/** The functions that a module of activities exports. */
export type Activities<M> = { readonly [K in keyof M as M[K] extends AnyActivity ? K : never]: M[K] extends AnyActivity ? ActivityStub<M[K]> : never };

/** What the runtime knows of a stub. */
export interface StubFacts {
  readonly name: string;
  readonly nameJson: string;
  readonly optionsJson: string;
}

const factsOf = new WeakMap<object, StubFacts>();

export const stubFacts = (stub: object, what: string): StubFacts => {
  const facts = factsOf.get(stub);
  if (facts === undefined) throw new TypeError(`${what} must be a function from activities()`);
  return facts;
};

/**
 * The activities of a module, by its type alone: `import type * as carrier from './carrier.activities.js'`.
 *
 * A call resolves with the activity's result, or rejects with `ActivityFailed` (its `cause` is the last error, or a `TimedOut`) or, when it stopped because the
 * run was asked to stop, with `Cancelled`.
 *
 * @param options queue (default `default`), startToCloseTimeout of one attempt (default 60 s), scheduleToCloseTimeout of all attempts (default: no bound),
 *   heartbeatTimeout (default: none expected), retry (default: without bound, from 1 s, doubling, up to 100 × the first delay).
 * @throws PerdureError `invalid-duration`, TypeError for other bad options.
 * @example
 * const { charge } = activities<typeof import('./carrier.activities.js')>({ startToCloseTimeout: '30s', retry: { maxAttempts: 5 } });
 * const payment = await charge(order);
 */
export const activities = <M>(options: ActivityOptions = {}): Activities<M> => {
  const optionsJson = stringify(toWireOptions(options));
  const stubs = new Map<string, object>();
  return new Proxy(Object.create(null) as object, {
    get: (_target, name) => {
      // A proxy that answers to `then` would be taken for a promise.
      if (typeof name === 'symbol' || name === 'then') return undefined;
      let stub = stubs.get(name);
      if (stub === undefined) stubs.set(name, (stub = createStub(name, options, optionsJson)));
      return stub;
    },
  }) as Activities<M>;
};

const createStub = (name: string, options: ActivityOptions, optionsJson: string): ActivityStub<AnyActivity> => {
  const facts: StubFacts = { name, nameJson: stringify(name), optionsJson };
  const stub = (...args: unknown[]): Promise<unknown> => schedule(facts, toInput(args));
  const full = Object.assign(stub, {
    with: (changes: ActivityOptions) => {
      const merged = { ...options, ...changes, ...(changes.retry && { retry: { ...options.retry, ...changes.retry } }) };
      return createStub(name, merged, stringify(toWireOptions(merged)));
    },
  });
  Object.defineProperty(full, 'name', { value: name });
  factsOf.set(full, facts);
  return full as ActivityStub<AnyActivity>;
};

/** `before` is issued right ahead of the activity's own command, and knows its seq. */
export const schedule = <T>(facts: StubFacts, input: unknown, before?: (seq: number) => void): Promise<T> => {
  const inputJson = toJson(input, `The input of activity ${facts.nameJson}`);
  return ask<T>(`activity ${facts.nameJson}`, (seq, { resolve, reject }) => {
    before?.(seq);
    issue(`{"kind":"scheduleActivity","seq":${seq},"name":${facts.nameJson}${field('input', inputJson)},"options":${facts.optionsJson}}`);
    return {
      settle: (job) => {
        const { outcome } = job as ActivityClosed;
        if (outcome.status === 'completed') resolve(outcome.value as T);
        else reject(toError(facts.name, outcome));
      },
      // Its await settles by how it really closes.
      cancel: () => issue(`{"kind":"cancelActivity","seq":${seq}}`),
    };
  });
};

const toError = (activity: string, outcome: Exclude<Outcome, { status: 'completed' }>): Error => {
  if (outcome.status === 'cancelled') return fromFailure({ ...outcome.error, type: 'Cancelled' });
  if (outcome.status === 'timedOut') {
    const cause = new TimedOut(outcome.error.message, { timeout: outcome.timeout, cause: fromFailure(outcome.error) });
    return new ActivityFailed(`Activity ${activity} timed out (${outcome.timeout}): ${outcome.error.message}`, { activity, timeout: outcome.timeout, cause });
  }
  return new ActivityFailed(`Activity ${activity} failed: ${outcome.error.message}`, { activity, cause: fromFailure(outcome.error) });
};
