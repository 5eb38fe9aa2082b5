import { describe, expect, it } from '@jest/globals';
import { mapFailure, readSourceMap } from './map-failure.js';

/** Column 1 of line 1 is `shop.ts`, line 1. */
const MAP = JSON.stringify({ version: 3, sources: ['shop.ts'], names: [], mappings: 'AAAA' });

describe('mapFailure', () => {
  const failure = { type: 'Error', message: 'no', stack: 'Error: no\n    at order (bundle.js:1:1)', cause: { type: 'Error', message: 'why', stack: '    at charge (bundle.js:1:1)' } };

  it.each([['as JSON', MAP], ['parsed once', readSourceMap(MAP)]])('maps its stack and that of its cause, by a map %s', (_how, map) => {
    expect(mapFailure(failure, map)).toEqual({ ...failure, stack: 'Error: no\n    at order (shop.ts:1:1)', cause: { ...failure.cause, stack: '    at charge (shop.ts:1:1)' } });
  });

  it.each(['', '{', 'null', '{}', '[]', '{"version":3,"mappings":7}'])('leaves a failure as it is where the map is %j', (map) => {
    expect(mapFailure(failure, map)).toEqual(failure);
  });
});
