export { correlationStoreSuite } from './correlation-store-suite.js';
export type { Made, Make } from './made.js';
export { sagaStoreSuite } from './saga-store-suite.js';
export { taskStoreSuite, timerStoreSuite } from './scheduler-store-suite.js';
export { stateStoreSuite } from './state-store-suite.js';
