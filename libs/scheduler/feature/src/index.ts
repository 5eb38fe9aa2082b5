export { SchedulerModule } from './scheduler-module.js';
export type { SchedulerAdapters } from './scheduler-module.js';
