export { deriveRunId, newId, sha256Hex, SLOTS, slotOf } from './identity.js';
export type { StartIdentity } from './identity.js';
