import { describe, expect, it } from '@jest/globals';
import { bannedWords } from './banned-words.js';
import { findingsOf } from '../testing/sound-package.js';

/** A banned word, put together here so that this spec does not hold it. */
const join = (...parts: string[]): string => parts.join('');

describe('banned-words', () => {
  it.each([
    ['libs/a/src/a.ts', join('// TO', 'DO later')],
    ['README.md', join('FIX', 'ME')],
    ['tools/a.mjs', join('/* XX', 'X */')],
    ['libs/a/src/a.ts', join('value as any', ' as Order')],
    ['libs/a/src/a.spec.ts', join("it.", "only('x', f)")],
    ['libs/a/src/a.spec.ts', join("describe.each([1]).", "only('x', f)").replace('.each([1])', '.each')],
    ['libs/a/src/a.spec.ts', join("jest.", "mock('./b.js')")],
    ['libs/a/src/a.spec.ts', join('jest.', "unstable_mockModule('./b.js')")],
    ['libs/a/src/a.ts', join('// eslint-', 'disable-next-line no-console')],
  ])('refuses in %s: %s', (path, text) => {
    expect(findingsOf(bannedWords, { [path]: `\n${text}\n` })).toEqual([expect.stringContaining(`${path}:2: `)]);
  });

  it('takes a suppression with a reason, and recorded data as it is', () => {
    const reasoned = join('// eslint-', 'disable-next-line no-console -- the only output a person sees');
    expect(findingsOf(bannedWords, { 'libs/a/src/a.ts': reasoned, 'libs/a/testdata/a.ts': join('TO', 'DO') })).toEqual([]);
  });
});
