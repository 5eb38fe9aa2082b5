import { Guards, type GuardName } from '../guards.js';

/** All guards but one. */
export const withoutGuard = (name: GuardName): Guards => new Guards(name);
