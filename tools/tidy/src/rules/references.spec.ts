import { describe, expect, it } from '@jest/globals';
import { references } from './references.js';
import { findingsOf, soundPackage } from '../testing/sound-package.js';

const root = (...folders: string[]): Record<string, string> => ({ 'tsconfig.json': JSON.stringify({ references: folders.map((path) => ({ path })) }) });
const own = (folder: string, ...paths: string[]): Record<string, string> => ({ [`${folder}/tsconfig.json`]: JSON.stringify({ references: paths.map((path) => ({ path })) }) });
const dependent = { ...soundPackage('libs/a'), ...soundPackage('libs/b/c', { dependencies: { '@perdure/a': '0.1.0' } }) };

describe('references', () => {
  it('is content when they agree', () => {
    expect(findingsOf(references, { ...dependent, ...root('libs/a', './libs/b/c'), ...own('libs/b/c', '../../a') })).toEqual([]);
  });

  it('names a package that the root forgot, and one that is gone', () => {
    expect(findingsOf(references, { ...soundPackage('libs/a'), ...root('libs/gone') })).toEqual(['tsconfig.json: does not list libs/a', expect.stringContaining('lists libs/gone')]);
  });

  it('names a dependency without a reference, and the reverse', () => {
    expect(findingsOf(references, { ...dependent, ...root('libs/a', 'libs/b/c') })).toEqual([expect.stringContaining('libs/b/c/tsconfig.json: does not reference libs/a')]);
    expect(findingsOf(references, { ...soundPackage('libs/a'), ...soundPackage('libs/d'), ...root('libs/a', 'libs/d'), ...own('libs/d', '../a') })).toEqual([expect.stringContaining('libs/d/tsconfig.json: references libs/a')]);
  });

  it('takes a package outside the workspaces, which names them as peers', () => {
    const outside = soundPackage('tools/d', { peerDependencies: { '@perdure/a': '0.1.0' } });
    expect(findingsOf(references, { ...soundPackage('libs/a'), ...outside, ...root('libs/a', 'tools/d'), ...own('tools/d', '../../libs/a') })).toEqual([]);
    expect(findingsOf(references, { ...soundPackage('libs/a'), ...outside, ...root('libs/a', 'tools/d') })).toEqual([expect.stringContaining('tools/d/tsconfig.json: does not reference libs/a')]);
  });
});
