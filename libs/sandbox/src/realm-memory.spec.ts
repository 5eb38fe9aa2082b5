import { describe, expect, it } from '@jest/globals';
import { RealmMemory, RecordBuffers } from './realm-memory.js';

describe('RecordBuffers', () => {
  it('counts what realms have, and gives to the next what one gave back', () => {
    const buffers = new RecordBuffers();
    const small = buffers.roomFor(100, new RealmMemory(1).records);
    const large = buffers.roomFor(100_000, small);
    expect([large.length >= 100_000, buffers.givenBytes]).toEqual([true, large.length]);
    expect(buffers.roomFor(50, large)).toBe(large);
    expect(buffers.roomFor(100, new RealmMemory(1).records)).toBe(small);
  });

  it('leaves the given one to its realm alone when there is no memory for a larger one', () => {
    const buffers = new RecordBuffers();
    const given = buffers.roomFor(100, new RealmMemory(1).records);
    expect(() => buffers.roomFor(2 ** 52, given)).toThrow(expect.objectContaining({ name: 'RangeError' }));
    expect(buffers.givenBytes).toBe(given.length);
    expect(buffers.roomFor(100, new RealmMemory(1).records)).not.toBe(given);
  });
});
