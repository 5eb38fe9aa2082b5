import { describe, expect, it } from '@jest/globals';
import { findingOf } from './finding.js';

describe('What a seed leaves', () => {
  const trace = ['a', 'b', 'c'];

  it('is nothing when nothing is wrong', async () => {
    expect(await findingOf(7, { run: async () => ({ violations: [], trace }), tail: 2 })).toBeUndefined();
  });

  it('is what broke, and the end of the trace', async () => {
    const violations = [{ invariant: 'I1', what: 'lost' }];
    expect(await findingOf(7, { run: async () => ({ violations, trace }), tail: 2 })).toEqual({ seed: 7, violations, tail: ['b', 'c'] });
    expect((await findingOf(7, { run: async () => ({ violations, trace }), tail: 0 }))!.tail).toEqual([]);
  });

  it('has the seed also when the simulation threw', async () => {
    const finding = await findingOf(7, { run: () => Promise.reject(new Error('an assertion of the code under test')), tail: 2 });
    expect(finding).toMatchObject({ seed: 7, violations: [{ invariant: 'thrown' }] });
    expect(finding!.violations[0]!.what).toContain('an assertion of the code under test');
  });
});
