export { FakeRealms, Voided } from './fake-realms.js';
export type { Script } from './fake-realms.js';
export { MemoryStateStore } from './memory-state-store.js';
export { OneBundle } from './one-bundle.js';
export { schedule, steps } from './scripts.js';
export { ShardBench } from './shard-bench.js';
export type { ShardBenchOptions } from './shard-bench.js';
