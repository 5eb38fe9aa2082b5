import { existsSync } from 'node:fs';
import { readFile } from 'node:fs/promises';
import { askParser } from './ask-parser.js';

/** A statement as it was sent; a prepared one has a name. */
export interface SentText {
  readonly name?: string | undefined;
  readonly text: string;
}

/** A parser that takes one of these would take anything. */
const NONSENSE = ['selec 1', 'select from where', 'alter table runs set locality regional by banana', 'insert into runs (slice) select $1 frm unnest($2)'];

/** So begins what a spec asks PostgreSQL about itself: its plans, its statistics. A prepared statement is never of that kind. */
const STAND_IN_ALONE = '/* PostgreSQL alone */';

export interface StatementCheck {
  /** Where the specs noted what was sent, a JSON object a line. */
  readonly file: string;
  /** The path of `cockroach-parser`. */
  readonly parser: string;
}

export interface CheckedStatements {
  readonly count: number;
  /** A line each; none: all is well. */
  readonly problems: readonly string[];
}

/** Whether CockroachDB's own parser takes all that the specs have sent to the server that stands in for it. */
export async function checkStatements({ file, parser }: StatementCheck): Promise<CheckedStatements> {
  const sent = existsSync(file) ? (await readFile(file, 'utf8')).split('\n').filter((line) => line !== '').map((line) => JSON.parse(line) as SentText) : [];
  const texts = [...new Set(sent.filter(({ name, text }) => name || !text.startsWith(STAND_IN_ALONE)).map(({ text }) => text))];
  const named = new Map(sent.flatMap(({ name, text }) => (name ? [[text, name]] : [])));
  if (texts.length === 0) return { count: 0, problems: ['no statement was recorded: the specs sent none, or nobody listened'] };
  const verdicts = await askParser(parser, [...texts, ...NONSENSE]);
  const refused = texts.flatMap((text, index) => (verdicts[index]!.ok ? [] : [`CockroachDB's parser refuses ${named.get(text) ?? 'a statement'}: ${verdicts[index]!.error}: ${inOneLine(text)}`]));
  const taken = NONSENSE.filter((_, index) => verdicts[texts.length + index]!.ok).map((text) => `the parser takes nonsense, so what it takes means nothing: ${text}`);
  return { count: texts.length, problems: [...refused, ...taken, ...usedTwice(sent)] };
}

/** A connection prepares a statement once under its name: another text of that name would never be sent. */
function usedTwice(sent: readonly SentText[]): string[] {
  const texts = new Map<string, Set<string>>();
  for (const { name, text } of sent) if (name) texts.set(name, (texts.get(name) ?? new Set()).add(text));
  return [...texts].filter(([, { size }]) => size > 1).map(([name, { size }]) => `${name} is the name of ${size} statements`);
}

const inOneLine = (text: string): string => text.replaceAll(/\s+/g, ' ').trim();
