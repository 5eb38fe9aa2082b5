export { jsonCopy, MemoryLog } from './memory-log.js';
export { MemorySliceStore } from './memory-slice-store.js';
