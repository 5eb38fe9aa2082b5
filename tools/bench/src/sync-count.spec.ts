import { describe, expect, it } from '@jest/globals';
import { syncsIn } from './sync-count.js';

describe('sync count', () => {
  it('counts each call once, whether or not it was interrupted in the record', () => {
    expect(syncsIn(['21040 fdatasync(21)                     = 0', '21041 fsync(5 <unfinished ...>', '21040 fdatasync(21) = 0', '21041 <... fsync resumed>)           = 0', '21040 +++ exited with 0 +++', ''].join('\n'))).toBe(3);
  });
});
