export { ConfiguredTranslator } from './configured-translator.js';
export { assertReachable, invalidConfig, readDeclarations } from './declarations.js';
export type { Declarations } from './declarations.js';
export { inspectBundle } from './inspect-bundle.js';
export type { InspectedBundle } from './inspect-bundle.js';
export { SandboxRealms } from './sandbox-realms.js';
export { Waiters } from './waiters.js';
export type { Waiting } from './waiters.js';
