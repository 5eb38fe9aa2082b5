import { isCode, type Rule } from '../workspace.js';

/** Names that say nothing, so that anything ends up there. */
const BANNED = ['utils', 'util', 'helpers', 'helper', 'common', 'shared', 'misc', 'types'];

export const bannedNames: Rule = {
  name: 'banned-names',
  check: ({ files }) =>
    [...files.keys()]
      .filter((path) => isCode(path) && BANNED.includes(path.replace(/^.*\//, '').replace(/(\.spec)?\.\w+$/, '')))
      .map((file) => ({ file, why: 'the name says nothing; name the file after its main export' })),
};
