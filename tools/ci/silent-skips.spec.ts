import { describe, expect, it } from '@jest/globals';
import SilentSkips, { silentSkips } from './silent-skips.mjs';

const suite = (...tests: [status: string, fullName: string][]): object => ({ testResults: tests.map(([status, fullName]) => ({ status, fullName })) });
const errorOf = (env: object, options: object, ...suites: object[]): Error | undefined => {
  const reporter = new SilentSkips(options, {}, {}, env);
  reporter.onRunComplete(new Set(), { testResults: suites });
  return reporter.getLastError();
};

describe('a skipped test', () => {
  it.each(['pending', 'todo', 'disabled', 'skipped'])('is silent as %s without a reason', (status) => {
    expect(silentSkips([suite([status, 'shard recovers'], ['passed', 'other'])])).toEqual(['shard recovers']);
  });

  it('is not silent with one', () => {
    expect(silentSkips([suite(['pending', 'shard recovers (skipped: needs Linux)'])])).toEqual([]);
  });

  it('fails the run in CI, by name', () => {
    expect(errorOf({ CI: 'true' }, {}, suite(['todo', 'shard recovers']))?.message).toContain('shard recovers');
  });

  it('does not elsewhere, nor when a name was asked for', () => {
    expect(errorOf({}, {}, suite(['todo', 'shard recovers']))).toBeUndefined();
    expect(errorOf({ CI: 'true' }, { testNamePattern: 'x' }, suite(['pending', 'shard recovers']))).toBeUndefined();
  });
});
