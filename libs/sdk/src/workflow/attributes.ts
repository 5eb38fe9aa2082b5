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
 * @throws TypeError when they are not JSON.
 * @example upsertAttributes({ searchAttributes: { customer: order.customer }, memo: { stage: 'packed' } });
 */
export const upsertAttributes = (changes: AttributeChanges): void => {
  if (!mayAsk('upsertAttributes()')) return;
  issue(`{"kind":"upsertAttributes","attributes":${toJson(changes, 'attributes')}}`);
  if (realm.info !== undefined) {
    realm.info = {
      ...realm.info,
      memo: merge(realm.info.memo, changes.memo),
      searchAttributes: merge(realm.info.searchAttributes, changes.searchAttributes),
    };
  }
};

const merge = <T extends object>(before: T | undefined, changes: object | undefined): T | undefined =>
  changes === undefined ? before : (Object.fromEntries(Object.entries({ ...before, ...changes }).filter(([, value]) => value !== null)) as T);
