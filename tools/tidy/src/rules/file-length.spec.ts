import { describe, expect, it } from '@jest/globals';
import { fileLength } from './file-length.js';
import { findingsOf } from '../testing/sound-package.js';

describe('file-length', () => {
  it('takes 500 lines and refuses 501', () => {
    const lines = (count: number): string => 'x;\n'.repeat(count);
    expect(findingsOf(fileLength, { 'libs/a/src/a.ts': lines(500), 'libs/a/src/b.ts': lines(501), 'libs/a/testdata/c.ts': lines(900) })).toEqual([expect.stringContaining('libs/a/src/b.ts: 501')]);
  });
});
