import { describe, expect, it } from '@jest/globals';
import { fromInput, toInput } from './arguments.js';

describe('arguments', () => {
  const cases: readonly (readonly [readonly unknown[], unknown])[] = [
    [[], undefined], [[undefined, undefined], undefined], [[null], null], [[['a', 'b']], ['a', 'b']], [[1, undefined], 1], [[1, 2], { $args: [1, 2] }], [[{ $args: 1 }], { $args: 1 }],
  ];
  it.each(cases)('%j travel as %j', (args, input) => {
    expect(toInput(args)).toEqual(input);
    const kept = args.slice(0, args.findLastIndex((arg) => arg !== undefined) + 1);
    expect(fromInput(input)).toEqual(kept);
  });
});
