import { describe, expect, it } from '@jest/globals';
import { isAtLeast, versionIn } from './version.js';

describe('versionIn', () => {
  it.each([
    ['etcd Version: 3.4.23\nGit SHA: Not provided', [3, 4, 23]],
    ['Redis server v=7.0.15 sha=00000000:0 malloc=jemalloc-5.3.0 bits=64', [7, 0, 15]],
    ['postgres (PostgreSQL) 15.18 (Debian 15.18-0+deb12u1)', [15, 18]],
    ['openjdk version "17.0.15" 2025-04-15', [17, 0, 15]],
    ['1.18.1\n', [1, 18, 1]],
    ['edge', undefined],
    ['', undefined],
  ])('of %j', (said, version) => expect(versionIn(said)).toEqual(version));
});

describe('isAtLeast', () => {
  it.each([
    [[3, 4, 23], [3, 4], true],
    [[3, 4], [3, 4], true],
    [[4], [3, 9], true],
    [[3, 10], [3, 9], true],
    [[3, 3, 99], [3, 4], false],
    [[7], [7, 1], false],
  ])('%j against %j', (version, least, expected) => expect(isAtLeast(version, least)).toBe(expected));
});
