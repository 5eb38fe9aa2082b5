import ts from 'typescript';
import { lineOf, parse, walk } from '../source.js';
import { type Finding, isCode, isSpec, type Rule } from '../workspace.js';

const LINES_MAX = 70;

/** Suites are functions too, so specs are left out. */
export const functionLength: Rule = {
  name: 'function-length',
  check: ({ files }) => [...files].filter(([path]) => isCode(path) && !path.endsWith('.sh') && !isSpec(path)).flatMap(([path, text]) => longFunctions(path, text)),
};

function longFunctions(file: string, text: string): Finding[] {
  if (text.split('\n').length <= LINES_MAX) return [];
  const source = parse(file, text);
  const found: Finding[] = [];
  walk(source, (node) => {
    if (!ts.isFunctionLike(node) || !('body' in node) || !node.body) return;
    const lines = codeLines(source, node);
    if (lines > LINES_MAX) found.push({ file, line: lineOf(source, node), why: `a function of ${lines} lines, over ${LINES_MAX}` });
  });
  return found;
}

/** The lines on which a token of the function stands: blank lines and comments do not count. */
function codeLines(source: ts.SourceFile, node: ts.Node): number {
  const lines = new Set<number>();
  walk(node, (each) => {
    if (each.getChildCount(source) > 0) return;
    const first = source.getLineAndCharacterOfPosition(each.getStart(source)).line;
    const last = source.getLineAndCharacterOfPosition(each.getEnd()).line;
    for (let line = first; line <= last; line += 1) lines.add(line);
  });
  const { line: opening } = source.getLineAndCharacterOfPosition(node.getStart(source));
  const { line: closing } = source.getLineAndCharacterOfPosition(node.getEnd());
  return lines.add(opening).add(closing).size;
}
