import { fileURLToPath } from 'node:url';
import { describe, expect, it } from '@jest/globals';
import { attackWithFuzz, attackWithHogs, HOG_KINDS } from '@perdure/attack';

const main = fileURLToPath(new URL('../dist/main.js', import.meta.url));

// The short forms of `npm run test:fuzz` and `npm run test:hogs`.
describe('under attack', () => {
  it('answers requests made from its own document, right or wrong, as the document says, and runs whatever bundles it takes', async () => {
    const { complaints, byStatus, requests } = await attackWithFuzz({ main, seed: 7, cases: 300 });
    expect(complaints.join('\n')).toBe('');
    expect(requests).toBe(300);
    expect(Object.keys(byStatus)).toEqual(expect.arrayContaining(['200', '400', '404']));
  }, 300_000);

  it('stops each kind of hog by a limit that it never sees, and has its memory back', async () => {
    const { complaints, byLimit } = await attackWithHogs({ main, runs: HOG_KINDS.length });
    expect(complaints.join('\n')).toBe('');
    expect(Object.keys(byLimit).sort()).toEqual(['memory', 'stack', 'time']);
  }, 600_000);
});
