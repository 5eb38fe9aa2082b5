export { StuckRun, TestWorld } from '@perdure/world';
export type { TestWorldOptions } from '@perdure/world';
