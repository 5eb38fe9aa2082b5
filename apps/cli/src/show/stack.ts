const LINES_MAX = 5;
const FOREIGN = /node:|node_modules|@perdure\//;

/** The first places of a stack in the user's own files. */
export const stackLines = (stack: string | undefined): string[] =>
  (stack ?? '')
    .split('\n')
    .map((line) => line.trim())
    .filter((line) => line.startsWith('at ') && !FOREIGN.test(line))
    .slice(0, LINES_MAX);
