import { Guards } from './guards.js';

/** What everything takes unless a test says otherwise. */
export const ALL_GUARDS = new Guards();
