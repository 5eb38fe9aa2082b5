import type { Block } from './block.js';

/** One file made of a page's blocks; `origin[i]` is where its line i (from 0) stands in the page. */
export interface PageFile {
  readonly name: string;
  readonly text: string;
  readonly origin: readonly string[];
  readonly run: boolean;
}

export const isTypeScript = ({ language }: Block): boolean => language === 'ts' || language === 'typescript';
export const isShell = ({ language }: Block): boolean => ['sh', 'bash', 'shell'].includes(language);

/** The files that a page's tested blocks make together: TypeScript, data, and one script of its shell blocks. */
export function pageFiles(blocks: readonly Block[]): PageFile[] {
  const files: PageFile[] = [];
  for (const block of blocks.filter(({ isTested }) => isTested)) {
    const last = files.findLastIndex(({ name }) => (isShell(block) ? name === SCRIPT : block.continues && name.endsWith('.ts')));
    const previous = files[last];
    if (previous && (block.continues || isShell(block))) files[last] = joined(previous, block);
    else if (block.continues) throw new Error(`${block.page}:${block.line}: continues no block`);
    else files.push(fileOf(block));
  }
  return files;
}

export const SCRIPT = 'page.sh';

function fileOf(block: Block): PageFile {
  const name = block.file ?? (isShell(block) ? SCRIPT : isTypeScript(block) ? `line-${block.line}.ts` : undefined);
  if (!name) throw new Error(`${block.page}:${block.line}: a tested ${block.language} block needs file=…`);
  return { name, text: block.code, origin: originOf(block), run: block.run };
}

const joined = (file: PageFile, block: Block): PageFile => ({ ...file, text: file.text + block.code, origin: [...file.origin.slice(0, -1), ...originOf(block)], run: file.run || block.run });

const originOf = ({ page, line, code }: Block): string[] => code.split('\n').map((_text, index) => `${page}:${line + index}`);
