import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import type { Json } from '@perdure/contract';
import { mergeAttributes } from './attributes.js';
import { canonical, jsonBytes, sameJson } from './json.js';

const copyInOtherOrder = (value: Json): Json =>
  JSON.parse(JSON.stringify(value), (_, member: unknown) =>
    member !== null && typeof member === 'object' && !Array.isArray(member) ? Object.fromEntries(Object.entries(member).reverse()) : member,
  ) as Json;

describe('json', () => {
  it('is the same in whatever order its keys stand', () => {
    fc.assert(fc.property(fc.jsonValue(), (json) => {
      const value = JSON.parse(JSON.stringify(json)) as Json;
      const copy = copyInOtherOrder(value);
      return sameJson(value, copy) && canonical(value) === canonical(copy);
    }));
  });

  it('is the same by structure if and only if by text', () => {
    fc.assert(fc.property(fc.jsonValue({ maxDepth: 2 }), fc.jsonValue({ maxDepth: 2 }), (left, right) => {
      const [a, b] = [left, right].map((json) => JSON.parse(JSON.stringify(json)) as Json) as [Json, Json];
      return sameJson(a, b) === (canonical(a) === canonical(b));
    }));
  });

  it('is not fooled by inherited names', () => {
    expect(sameJson({ constructor: 1 }, {})).toBe(false);
    expect(sameJson({}, { toString: undefined, valueOf: 1 })).toBe(false);
    expect(sameJson(JSON.parse('{"__proto__":{"a":1}}'), {})).toBe(false);
  });

  it('counts bytes, not characters', () => expect(jsonBytes('å')).toBe(4));
});

describe('mergeAttributes', () => {
  it('replaces, removes what is null, and keeps any name as an own one', () => {
    const merged = mergeAttributes({ memo: { a: 1, b: 2 } }, { memo: JSON.parse('{"a":null,"b":3,"__proto__":{"x":1}}'), searchAttributes: { city: 'Oslo' } });
    expect(JSON.stringify(merged)).toBe('{"memo":{"b":3,"__proto__":{"x":1}},"searchAttributes":{"city":"Oslo"}}');
    expect(Object.getPrototypeOf(merged.memo)).toBe(Object.prototype);
  });
});
