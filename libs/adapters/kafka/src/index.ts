export { KAFKA_LIMITS } from './kafka-limits.js';
export type { KafkaLimits } from './kafka-limits.js';
export type { KafkaLog } from './kafka-log.js';
export { KafkaLogs } from './kafka-logs.js';
export type { KafkaLogsOptions, LoggedService } from './kafka-logs.js';
export type { KafkaSasl, KafkaSecurity, KafkaTls } from './kafka-security.js';
