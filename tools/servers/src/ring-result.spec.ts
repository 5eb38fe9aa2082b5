import { describe, expect, it } from '@jest/globals';
import { ringResult } from './ring-result.js';

describe('ringResult', () => {
  it.each([
    ['all passed', { passed: 3, failed: 0 }, 0, { passed: 3, failed: 0 }],
    ['one failed', { passed: 3, failed: 1 }, 1, { passed: 3, failed: 1 }],
    ['nothing to run', { passed: 0, failed: 0 }, 0, { passed: 0, failed: 1 }],
    ['no report', undefined, 1, { passed: 0, failed: 1 }],
    ['it ended badly for another reason', { passed: 3, failed: 0 }, 1, { passed: 3, failed: 1 }],
    ['it was killed', { passed: 3, failed: 0 }, null, { passed: 3, failed: 1 }],
  ])('%s', (_what, counts, exitCode, expected) => expect(ringResult(counts, exitCode)).toEqual(expected));
});
