import { describe, expect, it } from '@jest/globals';
import { findingsOf, soundPackage } from '../testing/sound-package.js';
import { runtime } from './runtime.js';

describe('runtime', () => {
  const texts = { 'libs/a/src/a.ts': "import 'node:fs';", 'libs/a/src/a.spec.ts': "import 'node:fs';" };

  it('refuses a module of Node where any runtime should do', () => {
    expect(findingsOf(runtime, { ...soundPackage('libs/a'), ...texts })).toEqual([expect.stringContaining('libs/a/src/a.ts: imports node:fs')]);
  });

  it('takes it in a package for Node', () => {
    expect(findingsOf(runtime, { ...soundPackage('libs/a', { nx: { tags: ['runtime:node'] } }), ...texts })).toEqual([]);
  });
});
