import { describe, expect, it } from '@jest/globals';
import { innerBarrels } from './inner-barrels.js';
import { findingsOf, soundPackage } from '../testing/sound-package.js';

describe('inner-barrels', () => {
  const inner = { 'libs/a/src/testing/index.ts': '' };

  it('refuses an index that exports does not name', () => {
    expect(findingsOf(innerBarrels, { ...soundPackage('libs/a'), ...inner })).toEqual([expect.stringContaining('libs/a/src/testing/index.ts: ')]);
  });

  it('takes one that it does', () => {
    const exports = { '.': './dist/index.js', './testing': { types: './dist/testing/index.d.ts', default: './dist/testing/index.js' } };
    expect(findingsOf(innerBarrels, { ...soundPackage('libs/a', { exports }), ...inner })).toEqual([]);
  });
});
