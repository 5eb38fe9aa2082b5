export { checkProgram, newBundle, ProgramFailure } from './check-program.js';
export type { ProgramCounts } from './check-program.js';
export { Restorer } from './restorer.js';
