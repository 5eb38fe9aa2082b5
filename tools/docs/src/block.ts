import MarkdownIt from 'markdown-it';

/** A fenced code block, with what its opening line asks for. */
export interface Block {
  readonly page: string;
  /** Of the block's first line of code, from 1. */
  readonly line: number;
  readonly language: string;
  readonly code: string;
  readonly isTested: boolean;
  readonly file?: string;
  readonly continues: boolean;
  readonly run: boolean;
  readonly untested?: string;
}

const LANGUAGES_TO_MARK = ['ts', 'typescript', 'js', 'javascript', 'sh', 'bash', 'shell'];
const KNOWN = ['test', 'continues', 'run', 'file', 'untested'];

export function blocksOf(page: string, markdown: string): Block[] {
  return new MarkdownIt()
    .parse(markdown, {})
    .filter(({ type }) => type === 'fence')
    .map(({ info, content, map }) => blockFrom({ page, info, code: content, line: (map?.[0] ?? 0) + 2 }));
}

function blockFrom({ page, info, code, line }: { page: string; info: string; code: string; line: number }): Block {
  const [language = '', ...words] = info.match(/[\w-]+="[^"]*"|\S+/g) ?? [];
  const marks = new Map(words.map((word) => [word.replace(/=.*$/s, ''), /=/.test(word) ? word.replace(/^[^=]*="?|"$/g, '') : '']));
  const unknown = [...marks.keys()].filter((mark) => !KNOWN.includes(mark));
  if (unknown.length > 0) throw new Error(`${page}:${line - 1}: unknown mark ${unknown.join(', ')}; there are ${KNOWN.join(', ')}`);
  const isTested = marks.has('test');
  if (!isTested && !marks.get('untested') && LANGUAGES_TO_MARK.includes(language)) throw new Error(`${page}:${line - 1}: a ${language} block is marked "test" or says why not: untested="…"`);
  return { page, line, language, code, isTested, continues: marks.has('continues'), run: marks.has('run'), ...named(marks) };
}

const named = (marks: ReadonlyMap<string, string>): { file?: string; untested?: string } => {
  const [file, untested] = [marks.get('file'), marks.get('untested')];
  return { ...(file && { file }), ...(untested && { untested }) };
};
