import { describe, expect, it } from '@jest/globals';
import { bannedNames } from './banned-names.js';
import { findingsOf } from '../testing/sound-package.js';

describe('banned-names', () => {
  it.each(['libs/a/src/utils.ts', 'libs/a/src/helpers.spec.ts', 'tools/a/common.mjs'])('refuses %s', (path) => {
    expect(findingsOf(bannedNames, { [path]: '' })).toEqual([expect.stringContaining(path)]);
  });

  it('looks at whole names', () => {
    expect(findingsOf(bannedNames, { 'libs/util/src/clock.ts': '', 'libs/a/src/event-types.ts': '' })).toEqual([]);
  });
});
