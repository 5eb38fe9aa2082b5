export { CutProxy } from './cut-proxy.js';
export { keepBundles } from './keep-bundles.js';
export { openTestDatabase } from './test-database.js';
export type { TestDatabase } from './test-database.js';
