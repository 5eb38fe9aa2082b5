import { describe, expect, it } from '@jest/globals';
import { ALL_GUARDS } from './all-guards.js';
import { GUARD_NAMES } from './guards.js';
import { withoutGuard } from './testing/without-guard.js';

describe('Guards', () => {
  it('stand, all of them, unless a test removes one', () => {
    expect(GUARD_NAMES.filter((name) => !ALL_GUARDS.has(name))).toEqual([]);
    for (const removed of GUARD_NAMES) expect(GUARD_NAMES.filter((name) => !withoutGuard(removed).has(name))).toEqual([removed]);
  });
});
