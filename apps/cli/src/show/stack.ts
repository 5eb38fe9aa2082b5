const LINES_MAX = 5;
/** The SDK's own places too, by its name in a realm and by its folder in a clone. */
const FOREIGN = /node:|node_modules|@perdure\/|\/libs\/sdk\/(?:dist|src)\//;

/** The first places of a stack in the user's own files. */
export const stackLines = (stack: string | undefined): string[] =>
  (stack ?? '')
    .split('\n')
    .map((line) => line.trim())
    .filter((line) => line.startsWith('at ') && !FOREIGN.test(line))
    .slice(0, LINES_MAX);
