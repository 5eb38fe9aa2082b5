import { exportedSources } from '../package-entries.js';
import type { Rule } from '../workspace.js';

export const innerBarrels: Rule = {
  name: 'inner-barrels',
  check: ({ packages }) =>
    packages.flatMap((each) => {
      const exported = exportedSources(each);
      return [...each.files.keys()].filter((path) => /\/index\.ts$/.test(path) && !exported.has(path)).map((file) => ({ file, why: 'an index.ts that exports does not name: import the file itself' }));
    }),
};
