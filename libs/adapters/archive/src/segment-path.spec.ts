import { describe, expect, it } from '@jest/globals';
import { fileOf, parseFile, pathOfLog } from './segment-path.js';

describe('The path of a segment', () => {
  it('has slice and identity, and nothing that a file system takes for more', () => {
    expect(pathOfLog({ slice: 'history/3', identity: 'aB_-9/p.history/x~' })).toBe('history-3/aB_-9~2f.p~2e.history~2f.x~7e.');
    expect(pathOfLog({ slice: 'history/3', identity: '..' })).toBe('history-3/~2e.~2e.');
  });

  it('is read back, and what is no segment is none', () => {
    const segment = { first: 0, last: Number.MAX_SAFE_INTEGER };
    expect(parseFile(fileOf(segment))).toEqual(segment);
    expect([fileOf({ first: 9, last: 10 }), fileOf({ first: 10, last: 11 })].toSorted()).toEqual([fileOf({ first: 9, last: 10 }), fileOf({ first: 10, last: 11 })]);
    for (const file of ['', 'x', '.0-1.jsonl.zst.tmp', `.${fileOf(segment)}`, `${fileOf(segment)}.tmp`]) expect(parseFile(file)).toBeUndefined();
  });
});
