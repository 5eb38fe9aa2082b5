import { describe, expect, it } from '@jest/globals';
import { stackLines } from './stack.js';

describe('stackLines', () => {
  it("keeps the user's own places, of a realm and of a worker", () => {
    const stack = [
      'Error: no', '    at order (order.ts:3:1)', '    at settle (@perdure/sdk/src/workflow/runtime.ts:129:18)', '    at charge (file:///app/shop.activities.ts:9:3)',
      '    at async #attempt (file:///app/libs/sdk/dist/node/worker-core.js:163:39)', '    at run (node:internal/async_context_frame:66:14)', '    at x (/app/node_modules/x/index.js:1:1)',
    ].join('\n');
    expect(stackLines(stack)).toEqual(['at order (order.ts:3:1)', 'at charge (file:///app/shop.activities.ts:9:3)']);
    expect(stackLines(undefined)).toEqual([]);
  });
});
