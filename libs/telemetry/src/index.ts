export { observeHttp, observeSocketCall, requestFields } from './observe-http.js';
export type { HttpObserver } from './observe-http.js';
export { isOwnRoot, RequestRoots, rootSpanIdOf } from './request-roots.js';
export { ServerMetrics } from './server-metrics.js';
export { startTracing } from './start-tracing.js';
export { toTraceConfig, TRACE_VARIABLES } from './trace-config.js';
export type { TraceConfig } from './trace-config.js';
export type { Tracing, TracingDeps } from './tracing.js';
