import { execFileSync } from 'node:child_process';
import { describe, expect, it } from '@jest/globals';
import { blocksOf } from './block.js';
import { pageFiles } from './page-files.js';
import { typecheck } from './typecheck.js';

const root = execFileSync('git', ['rev-parse', '--show-toplevel'], { encoding: 'utf8' }).trim();
const fence = (info: string, code: string): string => `\`\`\`${info}\n${code}\n\`\`\`\n`;
const check = (markdown: string): string[] => typecheck(root, new Map([['a.md', pageFiles(blocksOf('a.md', markdown))]]));

describe('typecheck', () => {
  it('sees the types of the packages, of Node, and of the page\'s other blocks', () => {
    const order = fence('ts test file=order.ts', "import { PerdureError } from '@perdure/contract';\nexport interface Order { id: string }\nexport const isOurs = (error: unknown) => error instanceof PerdureError;");
    expect(check(order + fence('ts test', "import { type Order, isOurs } from './order.js';\nimport { readFile } from 'node:fs/promises';\nawait readFile('x');\nconst order: Order = { id: 'a' };\nisOurs(order);"))).toEqual([]);
  });

  it.each([
    ["const x: number = 'a';", 'a.md:4: Type \'string\' is not assignable'],
    ["import { Nothing } from '@perdure/contract';", 'a.md:4: Module \'"@perdure/contract"\' has no exported member'],
    ["import '@perdure/nothing';\nimport x from './nothing.js';", 'a.md:5: '],
    ['const = 1;', 'a.md:4: '],
  ])('names the page and line of %j', (code, message) => {
    expect(check(`text\n\n${fence('ts test', code)}`).join('\n')).toContain(message);
  });

  it('gives each block a scope of its own', () => {
    expect(check(fence('ts test', 'const x = 1;') + fence('ts test', "const x = 'a';"))).toEqual([]);
  });
});
