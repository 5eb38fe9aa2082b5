export { MemoryCorrelationStore } from './memory-correlation-store.js';
