import type { Attributes } from '@perdure/contract';
import { put } from './json.js';

/** Later keys replace earlier ones; a key set to null is removed. */
export function mergeAttributes(before: Attributes, change: Attributes): Attributes {
  const merged: { -readonly [K in keyof Attributes]: Attributes[K] } = {};
  if (before.memo || change.memo) merged.memo = merge(before.memo, change.memo);
  if (before.searchAttributes || change.searchAttributes) merged.searchAttributes = merge(before.searchAttributes, change.searchAttributes);
  return merged;
}

function merge<T>(before: Readonly<Record<string, T>> = {}, change: Readonly<Record<string, T>> = {}): Record<string, T> {
  const merged: Record<string, T> = {};
  for (const [key, value] of [...Object.entries(before), ...Object.entries(change)]) {
    if (value === null || value === undefined) delete merged[key];
    else put(merged, key, value);
  }
  return merged;
}
