import { describe, expect, it } from '@jest/globals';
import { RULES } from '../rules.js';
import { findingsOf, soundPackage } from './sound-package.js';

describe('the package that the rules\' specs spoil', () => {
  it.each(RULES.map((rule) => [rule.name, rule] as const))('is sound by the rule %s', (_name, rule) => {
    expect(findingsOf(rule, { ...soundPackage('libs/a'), 'tsconfig.json': '{ "references": [{ "path": "libs/a" }] }' })).toEqual([]);
  });
});
