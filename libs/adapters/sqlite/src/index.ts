export { ShardFile } from './shard-file.js';
export type { ShardFileOptions } from './shard-file.js';
export { SqliteStateStore } from './sqlite-state-store.js';
