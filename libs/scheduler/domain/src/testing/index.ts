export { MemoryTaskStore, MemoryTimerStore } from './memory-stores.js';
