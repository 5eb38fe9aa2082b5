export { type Block, blocksOf } from './block.js';
export { type PageFile, pageFiles } from './page-files.js';
export { type Outcome, runPage } from './run-page.js';
export { typecheck } from './typecheck.js';
