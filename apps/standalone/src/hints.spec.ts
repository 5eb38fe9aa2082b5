import { describe, expect, it } from '@jest/globals';
import { hints } from './hints.js';

describe('hints', () => {
  it('names another port than the CLI looks at, and only then', () => {
    expect(hints({ url: 'http://127.0.0.1:8080', data: 'data' })).toContain('npm run perdure -- list');
    expect(hints({ url: 'http://127.0.0.1:9090', data: 'data' })).toContain('npm run perdure -- --url http://127.0.0.1:9090 list');
  });
});
