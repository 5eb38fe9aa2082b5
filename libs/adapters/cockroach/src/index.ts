export { COCKROACH_LIMITS } from './cockroach-limits.js';
export type { CockroachLimits } from './cockroach-limits.js';
export { byteas, int8s, texts } from './pool/arrays.js';
export { CockroachPool } from './pool/cockroach-pool.js';
export type { CockroachPoolOptions, SentStatement } from './pool/cockroach-pool.js';
export type { Query, Row, Statement, Value } from './pool/statement.js';
export { migrate } from './schema/migrate.js';
export { MIGRATIONS } from './schema/migrations.js';
export type { Migration } from './schema/migrations.js';
