import { describe, expect, it } from '@jest/globals';
import { findingsOf, soundPackage } from '../testing/sound-package.js';
import { tags } from './tags.js';

const tagged = (...given: string[]): string[] => findingsOf(tags, soundPackage('libs/a', { nx: { tags: given } }));

describe('tags', () => {
  it.each([
    [['scope:a', 'type:util'], 'the axis runtime'],
    [['scope:a', 'type:util', 'type:app', 'runtime:any'], 'the axis type'],
    [['scope:a', 'type:helper', 'runtime:any'], 'unknown tag type:helper'],
    [['scope:a', 'type:util', 'runtime:browser'], 'unknown tag runtime:browser'],
  ])('refuses %j', (given, why) => expect(tagged(...given)).toEqual([expect.stringContaining(why)]));

  it('names all three axes of an untagged package', () => {
    expect(findingsOf(tags, soundPackage('libs/a', { nx: {} }))).toHaveLength(3);
  });
});
