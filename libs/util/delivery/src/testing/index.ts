export { jsonCopy, MemoryLog } from './memory-log.js';
export { MemoryLogArchive } from './memory-log-archive.js';
export { MemoryMembership, MemoryRegistry } from './memory-membership.js';
export { MemorySliceStore } from './memory-slice-store.js';
