export { withoutGuard } from './without-guard.js';
