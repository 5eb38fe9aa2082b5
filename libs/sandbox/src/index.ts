export { DEFAULT_LIMITS, HOST_STACK_MB } from './limits.js';
export type { SandboxLimits } from './limits.js';
export type { Activation, Realm } from './realm.js';
export { Sandbox } from './sandbox.js';
export type { LoadedBundle, SandboxOptions, SandboxStats } from './sandbox.js';
export type { SnapshotRejection } from './snapshot.js';
