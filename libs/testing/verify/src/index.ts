export { describeFindings } from './finding.js';
export type { Check, Finding } from './finding.js';
export { rebuild } from './rebuild.js';
export type { Rebuilt } from './rebuild.js';
export { foldRuns } from './folded-run.js';
export type { FoldedRun } from './folded-run.js';
export { verifyFolder, verifyShard } from './verify-folder.js';
export type { Verified, VerifyOptions } from './verify-folder.js';
