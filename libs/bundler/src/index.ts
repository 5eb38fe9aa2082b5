export { bundle } from './bundle.js';
export type { Bundle, BundleInput } from './bundle.js';
export { mapFailure, readSourceMap } from './map-failure.js';
export type { SourceMap } from './map-failure.js';
export { mapStack } from './map-stack.js';
export { SCRIPT } from './script.js';
export { watchBundle } from './watch.js';
export type { WatchResult } from './watch.js';
