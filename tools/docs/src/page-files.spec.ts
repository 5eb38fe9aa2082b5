import { describe, expect, it } from '@jest/globals';
import { blocksOf } from './block.js';
import { pageFiles } from './page-files.js';

const page = (...blocks: [info: string, code: string][]): ReturnType<typeof pageFiles> => pageFiles(blocksOf('a.md', blocks.map(([info, code]) => `\`\`\`${info}\n${code}\n\`\`\`\n`).join('')));

describe('pageFiles', () => {
  it('joins a block to the one it continues, and keeps where each line stands', () => {
    expect(page(['ts test file=a.ts', 'one;'], ['sh test', 'ls'], ['ts test continues run', 'two;'])[0]).toEqual({ name: 'a.ts', text: 'one;\ntwo;\n', origin: ['a.md:2', 'a.md:8', 'a.md:9'], run: true });
  });

  it('makes one script of the shell blocks', () => {
    expect(page(['sh test', 'cd x'], ['ts test', 'y;'], ['sh test', 'ls'])).toEqual([expect.objectContaining({ name: 'page.sh', text: 'cd x\nls\n' }), expect.objectContaining({ name: 'line-5.ts' })]);
  });

  it('leaves out what is not tested', () => expect(page(['ts untested="a sketch"', '…'])).toEqual([]));

  it('refuses a block that continues nothing, and data without a name', () => {
    expect(() => page(['ts test continues', 'x;'])).toThrow('continues no block');
    expect(() => page(['json test', '{}'])).toThrow('needs file=');
  });
});
