import type { TraceConfig } from './trace-config.js';
import type { Tracing, TracingDeps } from './tracing.js';

/** `undefined`: traces are off. The SDK is loaded only where they are on: whoever has them off pays neither memory nor start. */
export const startTracing = async (config: TraceConfig | undefined, deps: TracingDeps): Promise<Tracing | undefined> => (config ? (await import('./tracing.js')).openTracing(config, deps) : undefined);
