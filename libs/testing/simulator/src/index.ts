export { simulate } from './simulate.js';
export type { Report, SimulationOptions } from './simulate.js';
export type { Violation } from './violation.js';
