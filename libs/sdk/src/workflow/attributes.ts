import type { Attributes } from '@perdure/contract';
import { issue, mayAsk, realm } from './realm.js';
import { toJson } from './serialise.js';

type Nullable<T> = { readonly [K in keyof T]: T[K] | null };

/** A key set to `null` is removed. */
export interface AttributeChanges {
  readonly memo?: NonNullable<Attributes['memo']>;
  readonly searchAttributes?: Nullable<NonNullable<Attributes['searchAttributes']>>;
}

/**
 * Merges into what the run shows of itself. Runs can be listed by their search attributes; `memo` is free.
 *
 * @throws TypeError when they are not JSON, or a search attribute is none.
 * @example upsertAttributes({ searchAttributes: { customer: order.customer }, memo: { stage: 'packed' } });
 */
export const upsertAttributes = (changes: AttributeChanges): void => {
  if (!mayAsk('upsertAttributes()')) return;
  for (const [key, value] of Object.entries(changes.searchAttributes ?? {})) {
    if (!isSearchable(value)) throw new TypeError(`A search attribute is a string, a number, a boolean, a list of strings, or null to remove it; ${key} is none of these`);
  }
  issue(`{"kind":"upsertAttributes","attributes":${toJson(changes, 'attributes')}}`);
  if (realm.info !== undefined) {
    realm.info = {
      ...realm.info,
      memo: merge(realm.info.memo, changes.memo),
      searchAttributes: merge(realm.info.searchAttributes, changes.searchAttributes),
    };
  }
};

const isSearchable = (value: unknown): boolean =>
  value === null || value === undefined || typeof value === 'string' || typeof value === 'boolean' || (typeof value === 'number' && Number.isFinite(value)) || (Array.isArray(value) && value.every((each) => typeof each === 'string'));

const merge = <T extends object>(before: T | undefined, changes: object | undefined): T | undefined =>
  changes === undefined ? before : (Object.fromEntries(Object.entries({ ...before, ...changes }).filter(([, value]) => value !== null)) as T);
