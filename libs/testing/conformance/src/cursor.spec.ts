import { describe, expect, it } from '@jest/globals';
import { fromCursor, toCursor } from '@perdure/contract';

describe('cursor', () => {
  it('gives back the places it was made of', () => {
    for (const places of [[0], [7, undefined, 12], [Number.MAX_SAFE_INTEGER]]) expect(fromCursor(toCursor(places), places.length)).toEqual(places);
  });

  it.each(['', '1.2', '-1', '1e3', 'x', ' 1', '9007199254740993', '99999999999999999999'])('refuses %j for one place', (cursor) => {
    expect(() => fromCursor(cursor, 1)).toThrow(expect.objectContaining({ code: 'invalid-request' }));
  });
});
