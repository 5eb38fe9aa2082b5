import { isCode, isSpec, type Rule } from '../workspace.js';

interface Banned {
  readonly pattern: RegExp;
  readonly why: string;
  readonly where: (path: string) => boolean;
}

const isProse = (path: string): boolean => path.endsWith('.md') || /\.ya?ml$/.test(path);
const isTypeScript = (path: string): boolean => isCode(path) && path.endsWith('.ts');

/** The words are put together from parts, so that this file and its spec may stand in the workspace they check. */
const word = (...parts: string[]): string => parts.join('');

const BANNED: readonly Banned[] = [
  ...[word('TO', 'DO'), word('FIX', 'ME'), word('XX', 'X')].map((note) => ({ pattern: new RegExp(`\\b${note}\\b`), why: `${note}: do it, or say in an issue why not`, where: (path: string) => isCode(path) || isProse(path) })),
  { pattern: new RegExp(word('\\bany', ' as\\b')), why: 'a cast through any', where: isTypeScript },
  { pattern: new RegExp(word('\\b(it|test|describe)(\\.each)?\\.', 'only\\b|\\bf(it|describe)\\(')), why: 'a focused test hides the others', where: isSpec },
  { pattern: new RegExp(word('\\bjest\\.(unstable_)?', '(do)?[mM]ock(Module)?\\(')), why: 'no module mocks: inject a fake', where: isSpec },
  { pattern: new RegExp(word('eslint-', 'disable(?!.*-- \\S)')), why: 'a suppression needs its reason after "--"', where: isCode },
];

export const bannedWords: Rule = {
  name: 'banned-words',
  check: ({ files }) =>
    [...files].flatMap(([file, text]) => {
      const banned = BANNED.filter(({ where }) => where(file));
      if (banned.length === 0) return [];
      return text.split('\n').flatMap((line, index) => banned.filter(({ pattern }) => pattern.test(line)).map(({ why }) => ({ file, line: index + 1, why })));
    }),
};
