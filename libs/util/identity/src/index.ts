export { deriveRunId, newId, sha256Hex, SLOTS, slotOf } from './identity.js';
export type { StartIdentity } from './identity.js';
export { answerFor, contentOf, otherContent } from './input-content.js';
export type { DecidedInput } from './input-content.js';
