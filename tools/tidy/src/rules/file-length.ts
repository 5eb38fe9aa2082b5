import { isCode, type Rule } from '../workspace.js';

const LINES_MAX = 500;

export const fileLength: Rule = {
  name: 'file-length',
  check: ({ files }) =>
    [...files]
      .filter(([path]) => isCode(path))
      .map(([file, text]) => ({ file, lines: text.trimEnd().split('\n').length }))
      .filter(({ lines }) => lines > LINES_MAX)
      .map(({ file, lines }) => ({ file, why: `${lines} lines, over ${LINES_MAX}: split it` })),
};
