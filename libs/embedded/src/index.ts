export { BundleStacks } from './bundle-stacks.js';
export { EmbeddedShard } from './embedded-shard.js';
export type { EmbeddedShardOptions } from './embedded-shard.js';
export { serveShard } from './serve-shard.js';
export { ShardGateway } from './shard-gateway.js';
export type { InspectedBundle, QueryRequest, ShardFigures, ShardHints } from './shard-gateway.js';
export { ThreadGateway } from './thread-gateway.js';
export type { MetricJson } from './telemetry/shard-metrics.js';
export type { AttemptSpan, InputSpan, JoinedTrace, ShardSpan, SpanReport } from './telemetry/shard-span.js';
