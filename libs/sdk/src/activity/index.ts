export { activity, withActivity } from './activity-context.js';
export type { ActivityContext, ActivityInfo } from './activity-context.js';
export { completeLater } from './complete-later.js';
export { RetryableError } from './retryable-error.js';
export { Cancelled, TerminalError } from '../common/errors.js';
export type { Undo } from '../common/tokens.js';
