export { Clock } from './clock.js';
export type { CancelTimer } from './clock.js';
export { ManualClock } from './manual-clock.js';
export { SystemClock } from './system-clock.js';
