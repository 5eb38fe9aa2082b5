import { execFileSync } from 'node:child_process';
import { describe, expect, it } from '@jest/globals';
import { blocksOf } from './block.js';
import { pageFiles } from './page-files.js';
import { type Outcome, runPage } from './run-page.js';

const root = execFileSync('git', ['rev-parse', '--show-toplevel'], { encoding: 'utf8' }).trim();
const fence = (info: string, code: string): string => `\`\`\`${info}\n${code}\n\`\`\`\n`;
const run = (...blocks: string[]): Promise<Outcome> => runPage(root, pageFiles(blocksOf('a.md', blocks.join(''))));

describe('runPage', () => {
  it('runs a page\'s blocks in order, in one folder', async () => {
    const outcome = await run(
      fence('json test file=data/order.json', '{ "id": 7 }'),
      fence('ts test file=order.ts', "import { readFileSync } from 'node:fs';\nexport const order = JSON.parse(readFileSync('data/order.json', 'utf8')) as { id: number };"),
      fence('ts test run', "import { order } from './order.js';\nconsole.log('order', order.id);"),
      fence('sh test', 'cat data/order.json'),
      fence('sh test', 'node --version'),
    );
    expect(outcome).toEqual({ exitCode: 0, output: `order 7\n{ "id": 7 }\n${process.version}\n` });
  });

  it.each([
    [fence('sh test', 'echo seen; false; echo unseen'), 'seen\n'],
    [fence('sh test', 'echo $UNSET_NAME'), 'UNSET_NAME'],
    [fence('ts test run', "throw new Error('broken');") + fence('sh test', 'echo unseen'), 'broken'],
  ])('stops at the first failure: %j', async (page, output) => {
    const outcome = await run(page);
    expect(outcome.exitCode).not.toBe(0);
    expect(outcome.output).toContain(output);
    expect(outcome.output).not.toContain('unseen');
  });
});
