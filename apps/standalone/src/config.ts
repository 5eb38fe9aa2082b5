import { PerdureError } from '@perdure/contract';
import { resolveWebhookSources, type WebhookSource } from '@perdure/correlation';
import { assertReachable, invalidConfig, readDeclarations, type Declarations } from '@perdure/hosting';
import { toTraceConfig, TRACE_VARIABLES, type TraceConfig } from '@perdure/telemetry';
import { z } from 'zod';

const environmentSchema = z.object({
  PERDURE_HOST: z.string().default('127.0.0.1'),
  PERDURE_PORT: z.coerce.number().int().min(0).max(65_535).default(8080),
  PERDURE_DATA: z.string().default('data'),
  /** The one tenant of a server without keys. */
  PERDURE_TENANT: z.string().min(1).default('demo'),
  PERDURE_CONFIG: z.string().optional(),
  /** A module whose functions the server runs itself, beside those of its workers. */
  PERDURE_ACTIVITIES: z.string().optional(),
  /** Default: on, unless there are API keys, which the sample has not. */
  PERDURE_SAMPLES: z.enum(['on', 'off']).optional(),
  PERDURE_LOG_LEVEL: z.enum(['debug', 'info', 'warn', 'error', 'silent']).default('info'),
  /** Of a new data folder; one that exists keeps its number. */
  PERDURE_SHARDS: z.coerce.number().int().min(1).max(64).optional(),
  PERDURE_RETENTION_DAYS: z.coerce.number().positive().default(7),
  PERDURE_SLOW_REQUEST_MS: z.coerce.number().int().positive().default(1_000),
  ...TRACE_VARIABLES,
});

/** What clients read, who may run in the same environment. */
const OF_CLIENTS = ['PERDURE_URL', 'PERDURE_API_KEY'];

export interface Config {
  readonly host: string;
  readonly port: number;
  readonly data: string;
  readonly tenant: string;
  readonly activities: string | undefined;
  readonly samples: boolean;
  readonly logLevel: string;
  /** Absent: as the data folder has it, or the default for a new one. */
  readonly shards?: number;
  readonly retentionMs: number;
  /** A request that takes longer is logged. */
  readonly slowRequestMs: number;
  /** Absent: traces are off. */
  readonly traces?: TraceConfig;
  readonly apiKeys: Declarations['apiKeys'];
  readonly webhooks: Readonly<Record<string, WebhookSource>>;
  readonly eventTypes: Declarations['eventTypes'];
  /** Variables that are named as settings are and set nothing: misspelt, most often. */
  readonly unknownSettings: readonly string[];
}

const DAY_MS = 86_400_000;

/** Deliveries of a source whose tenant nobody can be would be acknowledged, and no run could ever have them. */
const assertTenants = (webhooks: Declarations['webhooks'], { apiKeys, tenant }: { readonly apiKeys: Declarations['apiKeys']; readonly tenant: string }): void => {
  const tenants = apiKeys.length > 0 ? apiKeys.map((key) => key.tenant) : [tenant];
  const astray = Object.entries(webhooks).filter(([, source]) => !tenants.includes(source.tenant));
  const why = (wanted: string): string => (apiKeys.length > 0 ? `"${wanted}" has no API key` : `"${wanted}" is not the server's tenant, which is "${tenant}" (PERDURE_TENANT)`);
  if (astray.length > 0) throw new PerdureError('invalid-request', astray.map(([name, source]) => `webhooks.${name}.tenant: ${why(source.tenant)}`).join('; '));
};

/** Of nothing a number would be 0, so any port, and a folder the one where the server happens to be started. */
const assertNoneEmpty = (env: NodeJS.ProcessEnv): void => {
  const empty = Object.keys(environmentSchema.shape).filter((name) => name.startsWith('PERDURE_') && env[name]?.trim() === '');
  if (empty.length > 0) throw new PerdureError('invalid-request', `environment: ${empty.map((name) => `${name} is empty`).join('; ')}. Leave out what is to be as by default.`);
};

/** Reads the environment and the config file once; every bad name is listed. @throws PerdureError, Error */
export const readConfig = (env: NodeJS.ProcessEnv = process.env): Config => {
  assertNoneEmpty(env);
  const environment = environmentSchema.safeParse(env);
  if (!environment.success) throw invalidConfig('environment', environment.error);
  const { PERDURE_HOST: host, PERDURE_PORT: port, PERDURE_DATA: data, PERDURE_TENANT: tenant, PERDURE_ACTIVITIES: activities, PERDURE_LOG_LEVEL: logLevel, PERDURE_SHARDS: shards, PERDURE_RETENTION_DAYS, PERDURE_CONFIG, PERDURE_SAMPLES, PERDURE_SLOW_REQUEST_MS: slowRequestMs } = environment.data;
  const traces = toTraceConfig(environment.data, { service: 'perdure' });
  const { apiKeys, eventTypes, webhooks } = readDeclarations(PERDURE_CONFIG);
  const hasKeys = apiKeys.length > 0;
  assertReachable(host, { apiKeys });
  assertTenants(webhooks, { apiKeys, tenant });
  const samples = PERDURE_SAMPLES ?? (hasKeys ? 'off' : 'on');
  if (hasKeys && samples === 'on') throw new PerdureError('invalid-request', 'PERDURE_SAMPLES=on: the sample product has no API key. Leave it out, or give no keys.');
  if (hasKeys && activities !== undefined) throw new PerdureError('invalid-request', 'PERDURE_ACTIVITIES: the server runs activities for its sole tenant. With API keys each tenant has workers of its own.');
  return Object.freeze({ host, port, data, tenant, activities, logLevel, samples: samples === 'on', retentionMs: PERDURE_RETENTION_DAYS * DAY_MS, ...(shards === undefined ? {} : { shards }), slowRequestMs, ...(traces ? { traces } : {}), apiKeys, webhooks: resolveWebhookSources(webhooks, env), eventTypes, unknownSettings: unknownSettings(env, webhooks) });
};

const unknownSettings = (env: NodeJS.ProcessEnv, webhooks: Declarations['webhooks']): string[] => {
  const others = [...OF_CLIENTS, ...Object.values(webhooks).flatMap(({ secrets }) => secrets.flatMap((secret) => (typeof secret === 'string' ? [] : [secret.env])))];
  return Object.keys(env).filter((name) => name.startsWith('PERDURE_') && !(name in environmentSchema.shape) && !others.includes(name));
};
