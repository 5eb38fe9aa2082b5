import { readFileSync } from 'node:fs';
import { isIP } from 'node:net';
import { PerdureError } from '@perdure/contract';
import { eventTypeDeclaration, webhookSource } from '@perdure/correlation';
import { z } from 'zod';

/** A secret itself, or the name of the environment variable that holds it. */
const secret = z.union([z.string().min(1), z.strictObject({ env: z.string() })]);

const fileSchema = z.strictObject({
  /** Only hashes: `printf %s KEY | sha256sum`. Without any the server listens on loopback only. */
  apiKeys: z.array(z.strictObject({ tenant: z.string().min(1), sha256: z.string().regex(/^[0-9a-f]{64}$/, 'SHA-256 in 64 lower-case hex digits') })).default([]),
  webhooks: z.record(z.string(), webhookSource.extend({ secrets: z.array(secret).min(1).max(2) })).default({}),
  eventTypes: z.record(z.string(), eventTypeDeclaration).default({}),
});

const environmentSchema = z.object({
  PERDURE_HOST: z.string().default('127.0.0.1'),
  PERDURE_PORT: z.coerce.number().int().min(0).max(65_535).default(8080),
  PERDURE_DATA: z.string().default('data'),
  /** The one tenant of a server without keys. */
  PERDURE_TENANT: z.string().min(1).default('demo'),
  PERDURE_CONFIG: z.string().optional(),
  PERDURE_SAMPLES: z.enum(['on', 'off']).default('on'),
  PERDURE_LOG_LEVEL: z.enum(['debug', 'info', 'warn', 'error', 'silent']).default('info'),
  PERDURE_RETENTION_DAYS: z.coerce.number().positive().default(7),
});

type FileConfig = z.output<typeof fileSchema>;

export interface Config {
  readonly host: string;
  readonly port: number;
  readonly data: string;
  readonly tenant: string;
  readonly samples: boolean;
  readonly logLevel: string;
  readonly retentionMs: number;
  readonly apiKeys: FileConfig['apiKeys'];
  readonly webhooks: Readonly<Record<string, z.output<typeof webhookSource>>>;
  readonly eventTypes: FileConfig['eventTypes'];
}

const DAY_MS = 86_400_000;

const invalid = (what: string, error: z.ZodError): PerdureError => new PerdureError('invalid-request', `${what}: ${error.issues.map(({ path, message }) => `${path.join('.')}: ${message}`).join('; ')}`);

/** Reads the environment and the config file once; every bad name is listed. @throws PerdureError */
export const readConfig = (env: NodeJS.ProcessEnv = process.env): Config => {
  const environment = environmentSchema.safeParse(env);
  if (!environment.success) throw invalid('environment', environment.error);
  const path = environment.data.PERDURE_CONFIG;
  const file = fileSchema.safeParse(path === undefined ? {} : (JSON.parse(readFileSync(path, 'utf8')) as unknown));
  if (!file.success) throw invalid(path ?? 'config', file.error);
  const { PERDURE_HOST: host, PERDURE_PORT: port, PERDURE_DATA: data, PERDURE_TENANT: tenant, PERDURE_SAMPLES, PERDURE_LOG_LEVEL: logLevel, PERDURE_RETENTION_DAYS } = environment.data;
  if (file.data.apiKeys.length === 0 && !isLoopback(host)) {
    throw new PerdureError('invalid-request', `PERDURE_HOST=${host}: without API keys the server listens on loopback only. Give keys in PERDURE_CONFIG, or listen on 127.0.0.1.`);
  }
  const webhooks = Object.fromEntries(Object.entries(file.data.webhooks).map(([name, source]) => [name, { ...source, secrets: source.secrets.map((each) => resolveSecret(each, env)) }]));
  const { apiKeys, eventTypes } = file.data;
  return Object.freeze({ host, port, data, tenant, logLevel, samples: PERDURE_SAMPLES === 'on', retentionMs: PERDURE_RETENTION_DAYS * DAY_MS, apiKeys, webhooks, eventTypes });
};

const isLoopback = (host: string): boolean => host === 'localhost' || host === '::1' || (isIP(host) === 4 && host.startsWith('127.'));

const resolveSecret = (given: z.output<typeof secret>, env: NodeJS.ProcessEnv): string => {
  if (typeof given === 'string') return given;
  const value = env[given.env];
  if (value === undefined || value === '') throw new PerdureError('invalid-request', `The environment variable ${given.env}, named by a secret, is not set.`);
  return value;
};
