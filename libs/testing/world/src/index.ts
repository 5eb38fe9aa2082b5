export { StuckRun } from './stuck-run.js';
export { TestWorld } from './test-world.js';
export type { TestWorldOptions } from './test-world.js';
