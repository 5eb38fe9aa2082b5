export { ALL_GUARDS } from './all-guards.js';
export { GUARD_NAMES } from './guards.js';
export type { GuardName, Guards } from './guards.js';
