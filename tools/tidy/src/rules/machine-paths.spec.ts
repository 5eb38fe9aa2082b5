import { describe, expect, it } from '@jest/globals';
import { machinePaths } from './machine-paths.js';
import { findingsOf } from '../testing/sound-package.js';

describe('machine-paths', () => {
  it.each([
    ['README.md', ['cd /ho', 'me/ann/perdure']],
    ['libs/a/src/a.ts', ["'/ro", "ot/.npmrc'"]],
    ['docs/a.md', ['in /Us', 'ers/ann']],
    ['.npmrc', ['https://registry.', 'npmjs.org/']],
    ['package-lock.json', ['"resolved": "ht', 'tps://mirror/x.tgz"']],
    ['libs/a/src/a.ts', ["open('/t", "mp/x')"]],
  ])('refuses in %s %j', (path, parts) => {
    expect(findingsOf(machinePaths, { [path]: parts.join('') })).toHaveLength(1);
  });

  it('leaves routes, addresses and recorded data alone', () => {
    const texts = { 'libs/a/src/a.ts': "get('/v1/workflows/root/home/x'); see('https://example.com/home/x');", 'libs/a/testdata/a.json': ['/ho', 'me/ann'].join('') };
    expect(findingsOf(machinePaths, texts)).toEqual([]);
  });
});
