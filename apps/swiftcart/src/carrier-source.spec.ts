import { readFileSync } from 'node:fs';
import { describe, expect, it } from '@jest/globals';
import { CARRIER_SOURCE, carrierSource } from './carrier-source.js';

describe('carrierSource', () => {
  it('is what the README shows', () => {
    const [, shown] = /```json\n(.*?)```/s.exec(readFileSync(new URL('../README.md', import.meta.url), 'utf8'))!;
    expect(JSON.parse(shown!)).toEqual({ webhooks: { [CARRIER_SOURCE]: { ...carrierSource('demo', ''), secrets: [{ env: 'CARRIER_SECRET' }] } } });
  });
});
