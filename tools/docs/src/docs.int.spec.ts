import { execFileSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from '@jest/globals';
import { blocksOf } from './block.js';
import { pageFiles } from './page-files.js';
import { isRunnable, runPage } from './run-page.js';
import { typecheck } from './typecheck.js';

const git = (...args: string[]): string => execFileSync('git', args, { encoding: 'utf8' }).trim();
const root = git('rev-parse', '--show-toplevel');
const paths = git('-C', root, 'ls-files', '--cached', '--others', '--exclude-standard', 'README.md', 'docs/**/*.md', 'docs/*.md').split('\n');
const pages = new Map([...new Set(paths)].filter(Boolean).map((page) => [page, pageFiles(blocksOf(page, readFileSync(join(root, page), 'utf8')))]));

describe('the code blocks of README and docs', () => {
  it('type-check', () => {
    expect(typecheck(root, pages)).toEqual([]);
  }, 60_000);

  const running = [...pages].filter(([, files]) => files.some(isRunnable));
  for (const [page, files] of running) {
    it(`run: ${page}`, async () => {
      expect(await runPage(root, files)).toEqual(expect.objectContaining({ exitCode: 0 }));
    }, 120_000);
  }
});
