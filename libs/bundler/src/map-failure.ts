import type { TraceMap } from '@jridgewell/trace-mapping';
import type { Failure } from '@perdure/contract';
import { mapStack } from './map-stack.js';

/** A failure with its own stack and those of its causes in places of the sources. */
export function mapFailure(failure: Failure, sourceMap: string | TraceMap): Failure {
  const { stack, cause } = failure;
  return { ...failure, ...(stack === undefined ? {} : { stack: mapStack(stack, sourceMap) }), ...(cause ? { cause: mapFailure(cause, sourceMap) } : {}) };
}
