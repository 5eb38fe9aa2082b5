import { describe, expect, it } from '@jest/globals';
import { blocksOf } from './block.js';

const fence = (info: string, code = 'x\n'): string => `\`\`\`${info}\n${code}\`\`\`\n`;

describe('blocksOf', () => {
  it('reads what a block asks for, and where it stands', () => {
    const [block] = blocksOf('README.md', `# A\n\n${fence('ts test file=a.workflow.ts run', 'one;\ntwo;\n')}`);
    expect(block).toEqual({ page: 'README.md', line: 4, language: 'ts', code: 'one;\ntwo;\n', isTested: true, file: 'a.workflow.ts', continues: false, run: true });
  });

  it('finds a block within a list', () => {
    expect(blocksOf('a.md', '- item\n\n  ```sh test\n  ls\n  ```\n')).toEqual([expect.objectContaining({ line: 4, code: 'ls\n', isTested: true })]);
  });

  it('wants a mark on code, and a reason where it is not tested', () => {
    expect(() => blocksOf('a.md', `\n${fence('ts')}`)).toThrow('a.md:2: a ts block is marked "test"');
    expect(() => blocksOf('a.md', fence('sh untested'))).toThrow('says why not');
    expect(blocksOf('a.md', fence('sh untested="needs a phone"'))).toEqual([expect.objectContaining({ isTested: false, untested: 'needs a phone' })]);
  });

  it('leaves other languages alone, and refuses a mark it does not know', () => {
    expect(blocksOf('a.md', fence('json') + fence(''))).toHaveLength(2);
    expect(() => blocksOf('a.md', fence('ts test files=a.ts'))).toThrow('unknown mark files');
  });
});
