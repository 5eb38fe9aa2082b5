import { describe, expect, it } from '@jest/globals';
import { COCKROACH_LIMITS } from '../cockroach-limits.js';
import { InsertRows, text } from './insert-rows.js';

const half = 'x'.repeat(COCKROACH_LIMITS.statementCharsMax / 2);
const rows = new InsertRows<string>({ table: 'things', columns: [text('body', (row) => row)], onConflict: '(slice, body) do nothing' });
const sizes = (list: readonly string[]): number[] => rows.queries('history/0', list).map(({ values }) => (values[1] as Buffer).readInt32BE(12));

describe('Many rows', () => {
  it('go by one statement, and none by none', () => {
    expect(rows.queries('history/0', [])).toEqual([]);
    expect(sizes(['a', 'b', 'c'])).toEqual([3]);
    expect(rows.queries('history/0', ['a'])[0]!.statement).toEqual({ name: 'put_things', text: 'insert into things (slice, body) select $1::text, v.body from unnest($2::text[]) as v(body) on conflict (slice, body) do nothing' });
  });

  it('go by several where one would be too long, and one that is too long goes alone', () => {
    expect(sizes([half, half, half, 'a'])).toEqual([2, 2]);
    expect(sizes(['a', half + half + half, 'b', 'c'])).toEqual([1, 1, 2]);
  });
});
