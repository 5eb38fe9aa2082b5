export { isErrorNamed } from '../common/errors.js';
export { durationMs } from '../common/duration.js';
export type { Duration } from '../common/duration.js';
export { Client } from './client.js';
export type { ClientOptions, ListFilter, NewEvent, StartOptions } from './client.js';
export { RunHandle } from './run-handle.js';
export type { MessageOptions, OperatorOptions, ResultOptions, StartedRun } from './run-handle.js';
export type { HttpAnswer, HttpRequest, Transport } from './transport.js';
export { WorkflowFailed } from './workflow-failed.js';
