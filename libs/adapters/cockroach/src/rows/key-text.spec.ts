import { describe, expect, it } from '@jest/globals';
import { fromKeyText, toKeyText } from './key-text.js';

const KEYS = ['t\u0000w\u0000r', 't\\0w', 't\\\u0000w', '\\\\0', '\\', '\u0000', 'a/b', ''];

describe('Keys as text', () => {
  it.each(KEYS)('%j comes back as it was', (key) => {
    expect(fromKeyText(toKeyText(key))).toBe(key);
    expect(toKeyText(key)).not.toContain('\u0000');
  });

  it('are as different as the keys', () => {
    expect(new Set(KEYS.map(toKeyText)).size).toBe(KEYS.length);
  });
});
