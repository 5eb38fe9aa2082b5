import { describe, expect, it } from '@jest/globals';
import { isDeeperThan } from '@perdure/contract';

describe('isDeeperThan', () => {
  it.each([['[[[]]]', 3], ['{"a":[{}]}', 3], ['"[[[["', 0], [String.raw`["\"[[[", "\\"]`, 1], ['[[],[],[]]', 2], ['7', 0]])('%s nests %i deep', (text, depth) => {
    const json = Buffer.from(text);
    expect(isDeeperThan(json, depth)).toBe(false);
    if (depth > 0) expect(isDeeperThan(json, depth - 1)).toBe(true);
  });
});
