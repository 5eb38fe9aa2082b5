export { readConfig } from './config.js';
export type { Config } from './config.js';
export { startServer } from './server.js';
export type { Server } from './server.js';
