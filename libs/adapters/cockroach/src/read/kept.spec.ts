import { describe, expect, it } from '@jest/globals';
import { Kept } from './kept.js';

describe('Kept', () => {
  const keep = (weightMax: number, ...entries: readonly [key: string, weight: number][]): Kept<string> => {
    const kept = new Kept<string>(weightMax);
    for (const [key, weight] of entries) kept.set(key, `${key}!`, weight);
    return kept;
  };
  const keysIn = (kept: Kept<string>): string[] => ['a', 'b', 'c', 'd'].filter((key) => kept.get(key) !== undefined);

  it('gives up the longest unused when it is too heavy', () => {
    const kept = keep(10, ['a', 4], ['b', 4]);
    kept.get('a');
    kept.set('c', 'c!', 4);
    expect(keysIn(kept)).toEqual(['a', 'c']);
  });

  it('gives up as many as it must', () => {
    expect(keysIn(keep(10, ['a', 3], ['b', 3], ['c', 3], ['d', 9]))).toEqual(['d']);
  });

  it('does not keep what alone is too heavy, nor what was there under its key', () => {
    expect(keysIn(keep(10, ['a', 3], ['b', 11], ['a', 11]))).toEqual([]);
  });

  it('weighs what takes the place of another, or is deleted, once', () => {
    const kept = keep(10, ['a', 6], ['a', 6], ['b', 4]);
    kept.delete('d');
    expect(keysIn(kept)).toEqual(['a', 'b']);
    kept.delete('a');
    kept.set('c', 'c!', 6);
    expect(keysIn(kept)).toEqual(['b', 'c']);
  });
});
