export { AttackedServer, until } from './attacked-server.js';
export type { AttackedServerOptions } from './attacked-server.js';
export { attackWithFuzz } from './fuzz.js';
export type { FuzzReport } from './fuzz.js';
export { attackWithHogs, HOG_KINDS } from './hogs.js';
export type { HogReport } from './hogs.js';
