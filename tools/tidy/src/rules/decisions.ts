import type { Rule } from '../workspace.js';

/** All but the template. */
const DECISION = /^docs\/adr\/(?!0000)(\d{4})-[^/]+\.md$/;

/** Decisions are cited by their number: each has one of its own, and its heading begins with it. */
export const decisions: Rule = {
  name: 'decisions',
  check: ({ files }) => {
    const taken = new Map<string, string>();
    return [...files].flatMap(([file, text]) => {
      const number = DECISION.exec(file)?.[1];
      if (number === undefined) return [];
      const other = taken.get(number);
      taken.set(number, file);
      if (other !== undefined) return [{ file, why: `its number is also that of ${other}` }];
      return text.startsWith(`# ${number}: `) ? [] : [{ file, why: `its heading is to begin with "# ${number}: "` }];
    });
  },
};
