import { goTool } from '../programs/go-tool.js';
import type { ProgramRecipe } from '../programs/program.js';

const VERSION = '0.25.2';

/**
 * CockroachDB's own parser, behind a program of ours: it reads statements, a JSON string a line, and says of each `{"ok":true}` or
 * `{"ok":false,"error":"…"}`, a line each, in order. No machine has it, so it is always built.
 */
export const cockroachParserProgram: ProgramRecipe = {
  name: 'cockroach-parser',
  versionMin: [0, 25],
  candidates: () => [],
  fetched: {
    version: VERSION,
    fetch: (surroundings) => goTool({ name: 'cockroach-parser', version: VERSION, module: 'cockroach-parser', package: '.', takes: 'about a minute', instead: 'set PERDURE_TEST_COCKROACH_PARSER to the path of one that is built' }, surroundings),
  },
};
