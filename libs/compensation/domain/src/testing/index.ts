export { MemorySagaStore } from './memory-saga-store.js';
