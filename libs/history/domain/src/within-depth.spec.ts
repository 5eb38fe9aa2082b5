import { describe, expect, it } from '@jest/globals';
import { LIMITS, type Json } from '@perdure/contract';
import { withinDepth } from './within-depth.js';

const nested = (depth: number): string => '['.repeat(depth) + ']'.repeat(depth);
const output = (json: string): { readonly kind: 'ok'; readonly output: string } => ({ kind: 'ok', output: `{"commands":[{"kind":"complete","result":${json}}]}` });

describe('withinDepth', () => {
  it('lets pass what a client may have given', () => {
    const result = output(nested(LIMITS.jsonDepthMax));
    expect(withinDepth(result)).toBe(result);
    expect(structuredClone(JSON.parse(result.output) as Json)).toEqual(JSON.parse(result.output));
  });

  it.each([LIMITS.jsonDepthMax + 32, 8_000, 100_000])('voids what nests %i deep', (depth) => {
    expect(withinDepth(output(nested(depth)))).toEqual({ kind: 'voided', reason: 'output', message: 'what the code gave nests lists and objects deeper than 500' });
  });

  it('leaves a long text alone that is shallow', () => {
    const result = output(JSON.stringify('['.repeat(100_000)));
    expect(withinDepth(result)).toBe(result);
  });
});
