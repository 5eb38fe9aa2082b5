import { PerdureError } from '@perdure/contract';
import { resolveWebhookSources, type WebhookSource } from '@perdure/correlation';
import { SERVICES, type MeshNode, type Service } from '@perdure/delivery';
import { assertReachable, invalidConfig, readDeclarations, type Declarations } from '@perdure/hosting';
import type { EtcdSecurity } from '@perdure/etcd';
import { SLOTS } from '@perdure/identity';
import type { KafkaSecurity } from '@perdure/kafka';
import { toTraceConfig, TRACE_VARIABLES, type TraceConfig } from '@perdure/telemetry';
import { z } from 'zod';
import { parseArchivePlace, type ArchivePlace } from './archive/archive-place.js';
import { SECURITY_VARIABLES, toEtcdSecurity, toKafkaSecurity } from './server-security.js';

/** One or more, with commas. */
const endpoints = (like: RegExp, message: string) => z.string().transform((text) => text.split(',').map((each) => each.trim())).refine((each) => each.every((one) => like.test(one) && portOf(one) <= PORT_MAX), message);
const portOf = (endpoint: string): number => Number(/:(\d+)\/?$/.exec(endpoint)?.[1] ?? 0);
const PORT_MAX = 65_535;
/** A name, an IPv4 address, or an IPv6 address in brackets. */
const HOST = String.raw`(\[[0-9a-fA-F:.]+\]|[^\s:/@[\]]+)`;
const HOST_PORT = new RegExp(String.raw`^${HOST}:\d+$`);
const ETCD_ENDPOINT = new RegExp(String.raw`^(https?://${HOST}(:\d+)?/?|${HOST}:\d+)$`);
/** The driver takes more than `URL` does: a space in a password, say. */
const isPostgresUrl = (text: string): boolean => /^postgres(ql)?:\/\//.test(text) && (URL.canParse(text) || URL.canParse(encodeURI(text)));
const onOff = z.enum(['on', 'off']).default('on').transform((text) => text === 'on');

const archivePlace = z.string().transform((text, context): ArchivePlace => {
  const place = parseArchivePlace(text);
  if (!place) context.addIssue({ code: 'custom', message: 'is file:///FOLDER or s3://BUCKET/PREFIX' });
  return place!;
});

/** `history=4,scheduler=2,…`: how many slices each service has. */
const counts = z.string().transform((text, context): Readonly<Record<Service, number>> => {
  const found = Object.fromEntries(text.split(',').map((each) => each.split('=', 2)).map(([name, count]) => [name, Number(count)]));
  for (const service of SERVICES) {
    const count = found[service];
    if (count === undefined || !Number.isInteger(count) || count < 1 || count > SLOTS) context.addIssue({ code: 'custom', message: `needs ${service}=N, N from 1 to ${SLOTS}` });
  }
  return found as Record<Service, number>;
});

const environmentSchema = z.object({
  PERDURE_HOST: z.string().default('127.0.0.1'),
  PERDURE_PORT: z.coerce.number().int().min(1).max(PORT_MAX),
  /** Where the other nodes reach this one, `host:port`. Default: host and port. */
  PERDURE_ADDRESS: z.string().optional(),
  PERDURE_POSTGRES: z.string().refine(isPostgresUrl, 'is postgres://user:password@host:port/database'),
  PERDURE_KAFKA: endpoints(HOST_PORT, 'is host:port of some brokers, with commas'),
  PERDURE_ETCD: endpoints(ETCD_ENDPOINT, 'is host:port or https://host:port of the members, with commas'),
  ...SECURITY_VARIABLES,
  /** Of the topics that a node makes; by default the brokers' own. */
  PERDURE_KAFKA_REPLICATION: z.coerce.number().int().min(1).max(32).optional(),
  /** Before the names of topics and keys: several meshes may share servers. */
  PERDURE_PREFIX: z.string().regex(/^[a-z][a-z0-9-]*$/).default('perdure'),
  /** The same for every node, and for as long as there is state. */
  PERDURE_SLICES: counts.default({ history: 4, scheduler: 2, correlation: 2, compensation: 1 }),
  /** Where logs are archived before they are trimmed, the same for every node. Absent: nothing is trimmed. */
  PERDURE_LOG_ARCHIVE: archivePlace.optional(),
  /** Of S3 that is not AWS; buckets are then in the path. */
  PERDURE_LOG_ARCHIVE_ENDPOINT: z.url({ protocol: /^https?$/ }).optional(),
  /** A record is archived after so long at the latest, sooner when a segment is full. */
  PERDURE_LOG_ARCHIVE_AFTER_SECONDS: z.coerce.number().positive().default(600),
  /** Of the bucket; the SDK has its name, too. */
  AWS_REGION: z.string().min(1).optional(),
  /** Authenticates snapshots, 32 bytes in hex; the same for every node of history. */
  PERDURE_SNAPSHOT_KEY: z.string().regex(/^[0-9a-f]{64}$/, '32 bytes in 64 lower-case hex digits').optional(),
  PERDURE_TENANT: z.string().min(1).default('demo'),
  PERDURE_CONFIG: z.string().optional(),
  /** `state`: what the services share in Dapr's state counts, and the config file is its seed. */
  PERDURE_DECLARATIONS: z.enum(['file', 'state']).default('file'),
  PERDURE_LOG_LEVEL: z.enum(['debug', 'info', 'warn', 'error', 'silent']).default('info'),
  PERDURE_RETENTION_DAYS: z.coerce.number().positive().default(7),
  PERDURE_SLOW_REQUEST_MS: z.coerce.number().int().positive().default(1_000),
  /** Whether messages go by service invocation first. */
  PERDURE_BUS_DIRECT: onOff,
  /** Whether messages that were not confirmed go by pub/sub. */
  PERDURE_BUS_PUBSUB: onOff,
  DAPR_HTTP_PORT: z.coerce.number().int().min(1).max(PORT_MAX).default(3500),
  /** What sidecar and nodes must show this one; the sidecar has it under the same name. */
  APP_API_TOKEN: z.string().min(16),
  /** What the sidecar wants to be shown. */
  DAPR_API_TOKEN: z.string().optional(),
  ...TRACE_VARIABLES,
});

/** Where and when logs are archived. */
export interface ArchiveConfig {
  readonly place: ArchivePlace;
  readonly endpoint?: string;
  readonly region?: string;
  readonly afterMs: number;
}

export interface MeshConfig {
  readonly service: MeshNode['service'];
  readonly host: string;
  readonly port: number;
  readonly address: string;
  readonly postgres: string;
  readonly kafka: readonly string[];
  readonly kafkaSecurity: KafkaSecurity;
  /** Absent: as the brokers do by default. */
  readonly kafkaReplication?: number;
  readonly etcd: readonly string[];
  readonly etcdSecurity: EtcdSecurity;
  readonly prefix: string;
  readonly counts: Readonly<Record<Service, number>>;
  /** Absent: logs are not trimmed. */
  readonly archive?: ArchiveConfig;
  readonly snapshotKey?: Uint8Array;
  readonly tenant: string;
  readonly logLevel: string;
  readonly retentionMs: number;
  /** A request that takes longer is logged. */
  readonly slowRequestMs: number;
  /** Absent: traces are off. */
  readonly traces?: TraceConfig;
  readonly bus: { readonly direct: boolean; readonly pubsub: boolean };
  readonly sidecar: { readonly httpPort: number; readonly apiToken?: string };
  readonly nodeToken: string;
  readonly declarationsFrom: 'file' | 'state';
  /** As the config file has them. */
  readonly declared: Declarations;
  readonly apiKeys: Declarations['apiKeys'];
  readonly webhooks: Readonly<Record<string, WebhookSource>>;
  readonly eventTypes: Declarations['eventTypes'];
}

const DAY_MS = 86_400_000;

/** Reads a service's environment and the config file once; every bad name is listed. @throws PerdureError */
export const readMeshConfig = (service: MeshNode['service'], env: NodeJS.ProcessEnv = process.env): MeshConfig => {
  const parsed = environmentSchema.safeParse(env);
  if (!parsed.success) throw invalidConfig('environment', parsed.error);
  const found = parsed.data;
  const declared = readDeclarations(found.PERDURE_CONFIG);
  const traces = toTraceConfig(found, { service: `perdure-${service}` });
  if (service === 'history' && !found.PERDURE_SNAPSHOT_KEY) throw new PerdureError('invalid-request', 'environment: PERDURE_SNAPSHOT_KEY: history needs it, the same on every node.');
  return Object.freeze({
    service, host: found.PERDURE_HOST, port: found.PERDURE_PORT, address: found.PERDURE_ADDRESS ?? `${found.PERDURE_HOST}:${found.PERDURE_PORT}`,
    postgres: found.PERDURE_POSTGRES, kafka: found.PERDURE_KAFKA, etcd: found.PERDURE_ETCD, prefix: found.PERDURE_PREFIX, counts: found.PERDURE_SLICES,
    kafkaSecurity: toKafkaSecurity(found), etcdSecurity: toEtcdSecurity(found, found.PERDURE_ETCD), ...(found.PERDURE_KAFKA_REPLICATION ? { kafkaReplication: found.PERDURE_KAFKA_REPLICATION } : {}),
    ...archiveIn(found),
    ...(found.PERDURE_SNAPSHOT_KEY ? { snapshotKey: Buffer.from(found.PERDURE_SNAPSHOT_KEY, 'hex') } : {}),
    tenant: found.PERDURE_TENANT, logLevel: found.PERDURE_LOG_LEVEL, retentionMs: found.PERDURE_RETENTION_DAYS * DAY_MS,
    slowRequestMs: found.PERDURE_SLOW_REQUEST_MS, ...(traces ? { traces } : {}),
    bus: { direct: found.PERDURE_BUS_DIRECT, pubsub: found.PERDURE_BUS_PUBSUB },
    sidecar: { httpPort: found.DAPR_HTTP_PORT, ...(found.DAPR_API_TOKEN ? { apiToken: found.DAPR_API_TOKEN } : {}) },
    nodeToken: found.APP_API_TOKEN, declarationsFrom: found.PERDURE_DECLARATIONS, declared,
    ...resolveDeclarations(declared, { service, host: found.PERDURE_HOST, env }),
  });
};

const archiveIn = ({ PERDURE_LOG_ARCHIVE: place, PERDURE_LOG_ARCHIVE_ENDPOINT: endpoint, PERDURE_LOG_ARCHIVE_AFTER_SECONDS: afterSeconds, AWS_REGION: region }: z.output<typeof environmentSchema>): Pick<MeshConfig, 'archive'> => {
  if (!place) return {};
  return { archive: { place, afterMs: afterSeconds * 1_000, ...(endpoint === undefined ? {} : { endpoint }), ...(region === undefined ? {} : { region }) } };
};

/** The same configuration with other declarations; their secrets are in the environment. @throws PerdureError, Error */
export const withDeclarations = (config: MeshConfig, declarations: Declarations, env: NodeJS.ProcessEnv = process.env): MeshConfig =>
  Object.freeze({ ...config, ...resolveDeclarations(declarations, { ...config, env }) });

const resolveDeclarations = (
  { apiKeys, webhooks, eventTypes }: Declarations,
  { service, host, env }: Pick<MeshConfig, 'service' | 'host'> & { readonly env: NodeJS.ProcessEnv },
): Pick<MeshConfig, 'apiKeys' | 'webhooks' | 'eventTypes'> => {
  if (service === 'ingestion') assertReachable(host, { apiKeys });
  return { apiKeys, webhooks: resolveWebhookSources(webhooks, env), eventTypes };
};
