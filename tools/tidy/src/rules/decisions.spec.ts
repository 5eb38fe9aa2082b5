import { describe, expect, it } from '@jest/globals';
import { findingsOf } from '../testing/sound-package.js';
import { decisions } from './decisions.js';

describe('decisions', () => {
  it('refuses two of one number, and a heading with another', () => {
    const findings = findingsOf(decisions, { 'docs/adr/0001-one.md': '# 0001: one', 'docs/adr/0001-two.md': '# 0001: two', 'docs/adr/0003-three.md': '# 0002: three' });
    expect(findings).toEqual([expect.stringContaining('0001-one.md'), expect.stringContaining('# 0003: ')]);
  });

  it('lets others be', () => {
    expect(findingsOf(decisions, { 'docs/adr/0001-one.md': '# 0001: one', 'docs/adr/0002-two.md': '# 0002: two\n', 'docs/guides/0001-tour.md': '' })).toEqual([]);
  });
});
