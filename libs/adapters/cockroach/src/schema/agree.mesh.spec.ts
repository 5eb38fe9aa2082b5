import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { openTestDatabase, type TestDatabase } from '../testing/test-database.js';
import { agree } from './agree.js';

describe('agree', () => {
  let database: TestDatabase;
  beforeEach(async () => {
    database = await openTestDatabase(process.env['PERDURE_TEST_POSTGRES']);
  });
  afterEach(() => database.close());

  it('keeps what was said first, and what was said of something else later', async () => {
    expect(await agree(database.pool, { prefix: 'a' })).toEqual(new Map([['prefix', 'a']]));
    expect(await agree(database.open(), { prefix: 'b', slices: '2' })).toEqual(new Map([['prefix', 'a'], ['slices', '2']]));
  });

  it('gives all the same when several speak at once', async () => {
    const heard = await Promise.all(Array.from({ length: 6 }, (_, index) => agree(database.open(), { prefix: String(index) })));
    expect(new Set(heard.map((each) => each.get('prefix'))).size).toBe(1);
  });
});
