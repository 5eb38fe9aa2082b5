import type { Rule } from '../workspace.js';

const WORDS_MIN = 12;

export const readmes: Rule = {
  name: 'readmes',
  check: ({ packages }) =>
    packages.flatMap(({ folder, name, files }) => {
      const file = `${folder}/README.md`;
      const text = files.get(file);
      if (text === undefined) return [{ file, why: 'missing' }];
      if (!text.startsWith(`# ${name}\n`)) return [{ file, line: 1, why: `should open with "# ${name}"` }];
      return text.split(/\s+/).length < WORDS_MIN ? [{ file, why: 'says too little of what the package is' }] : [];
    }),
};
