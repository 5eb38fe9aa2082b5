import { TraceMap } from '@jridgewell/trace-mapping';
import type { Failure } from '@perdure/contract';
import { mapStack } from './map-stack.js';

/** A parsed source map. */
export type SourceMap = TraceMap;

/** `undefined` for a text that is none: whoever deploys may send anything, and it costs them readable stacks alone. */
export function readSourceMap(json: string): SourceMap | undefined {
  try {
    return new TraceMap(json);
  } catch {
    return undefined;
  }
}

/** A failure with its own stack and those of its causes in places of the sources. */
export function mapFailure(failure: Failure, sourceMap: string | SourceMap | undefined): Failure {
  const map = typeof sourceMap === 'string' ? readSourceMap(sourceMap) : sourceMap;
  if (!map) return failure;
  const { stack, cause } = failure;
  return { ...failure, ...(stack === undefined ? {} : { stack: mapStack(stack, map) }), ...(cause ? { cause: mapFailure(cause, map) } : {}) };
}
