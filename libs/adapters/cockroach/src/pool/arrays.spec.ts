import { describe, expect, it } from '@jest/globals';
import { int8s, storable, texts } from './arrays.js';

describe('Array parameters', () => {
  it.each(['a\u0000b', '\ud800', 'x\udc00y'])('refuse %j, which a text column would not give back', (text) => {
    expect(() => storable(text)).toThrow(expect.objectContaining({ fault: 'contentRefused' }));
    expect(() => texts(['a', text])).toThrow(expect.objectContaining({ fault: 'contentRefused' }));
  });

  it.each([1.5, NaN, Infinity, 2 ** 53])('refuse %d, which is no whole number that comes back', (number) => {
    expect(() => int8s([1, number])).toThrow(expect.objectContaining({ fault: 'contentRefused' }));
  });
});
