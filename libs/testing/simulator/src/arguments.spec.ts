import { describe, expect, it } from '@jest/globals';
import { readArguments } from './arguments.js';

describe('The arguments of test:sim', () => {
  it('say which seeds are run', () => {
    expect(readArguments([])).toEqual({ from: 1, count: 10_000, shape: 'mesh', tail: 60 });
    expect(readArguments(['--from', '4711', '--seeds', '1', '--shape', 'embedded', '--tail', '0'])).toEqual({ from: 4711, count: 1, shape: 'embedded', tail: 0 });
    expect(readArguments(['--help'])).toBeUndefined();
  });

  it.each([['--seeds', '0'], ['--seeds=-5'], ['--seeds', ''], ['--seeds', '1.5'], ['--seeds', 'x'], ['--from=-1'], ['--from', '9007199254740990', '--seeds', '3'], ['--tail=-1'], ['--shape', 'cube'], ['--seed', '7'], ['7']])('are refused when they would run none, or others: %s %s', (...args) => {
    expect(() => readArguments(args)).toThrow();
  });
});
