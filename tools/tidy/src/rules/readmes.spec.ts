import { describe, expect, it } from '@jest/globals';
import { readmes } from './readmes.js';
import { findingsOf, soundPackage } from '../testing/sound-package.js';

describe('readmes', () => {
  it.each([
    ['# @perdure/other\n\nwords', 'should open with'],
    ['# @perdure/a\n\nA package.\n', 'too little'],
  ])('refuses %j', (text, why) => {
    expect(findingsOf(readmes, { ...soundPackage('libs/a'), 'libs/a/README.md': text })).toEqual([expect.stringContaining(why)]);
  });

  it('names a missing one', () => {
    expect(findingsOf(readmes, { 'libs/a/package.json': '{}' })).toEqual(['libs/a/README.md: missing']);
  });
});
