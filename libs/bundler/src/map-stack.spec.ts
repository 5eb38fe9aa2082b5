import { describe, expect, it } from '@jest/globals';
import { bundle } from './bundle.js';
import { mapStack } from './map-stack.js';

describe('mapStack', () => {
  it('leaves what is not of the script as it is', async () => {
    const { sourceMap } = await bundle({ source: 'export async function a() {}', resolveDir: import.meta.dirname });
    const stack = ['Error: at bundle.js (x)', '    at run (/srv/worker/main.js:1:1)', '    at <anonymous>', '    at call (native)', '    at node:internal/x:1:2', '    at far (bundle.js:999999:1)'].join('\n');
    expect(mapStack(stack, sourceMap)).toBe(stack);
  });
});
