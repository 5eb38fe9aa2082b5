import { readFileSync } from 'node:fs';
import { describe, expect, it } from '@jest/globals';
import { githubSource } from './github-source.js';

describe('githubSource', () => {
  it('is what the README shows', () => {
    const [, shown] = /```json\n(.*?)```/s.exec(readFileSync(new URL('../README.md', import.meta.url), 'utf8'))!;
    expect(JSON.parse(shown!)).toEqual({ webhooks: { github: githubSource('demo', { env: 'GITHUB_WEBHOOK_SECRET' }) } });
  });
});
