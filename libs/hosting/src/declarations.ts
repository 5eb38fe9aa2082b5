import { readFileSync } from 'node:fs';
import { isIP } from 'node:net';
import { PerdureError } from '@perdure/contract';
import { eventTypeDeclaration, webhookSourceDeclaration } from '@perdure/correlation';
import { z } from 'zod';

const fileSchema = z.strictObject({
  /** Only hashes: `printf %s KEY | sha256sum`. Without any the server listens on loopback only. */
  apiKeys: z.array(z.strictObject({ tenant: z.string().min(1), sha256: z.string().regex(/^[0-9a-f]{64}$/, 'SHA-256 in 64 lower-case hex digits') })).default([]),
  webhooks: z.record(z.string(), webhookSourceDeclaration).default({}),
  eventTypes: z.record(z.string(), eventTypeDeclaration).default({}),
});

/** What the configuration file declares. */
export type Declarations = z.output<typeof fileSchema>;

/** Of a configuration that does not fit: every bad name is listed. */
export const invalidConfig = (what: string, error: z.ZodError): PerdureError => new PerdureError('invalid-request', `${what}: ${error.issues.map(({ path, message }) => (path.length === 0 ? message : `${path.join('.')}: ${message}`)).join('; ')}`);

/** `path`: as PERDURE_CONFIG names it; absent: nothing is declared. @throws PerdureError `invalid-request` */
export const readDeclarations = (path: string | undefined): Declarations => parseDeclarations(path === undefined ? {} : readJson(path), path ?? 'config');

/** `what`: where they are from. @throws PerdureError `invalid-request` */
export const parseDeclarations = (value: unknown, what: string): Declarations => {
  const parsed = fileSchema.safeParse(value);
  if (!parsed.success) throw invalidConfig(what, parsed.error);
  return parsed.data;
};

/** Without API keys everybody is the one tenant, so only this machine may reach the server. @throws PerdureError `invalid-request` */
export const assertReachable = (host: string, { apiKeys }: Pick<Declarations, 'apiKeys'>): void => {
  if (apiKeys.length > 0 || isLoopback(host)) return;
  throw new PerdureError('invalid-request', `PERDURE_HOST=${host}: without API keys the server listens on loopback only. Give keys in PERDURE_CONFIG, or listen on 127.0.0.1.`);
};

const readJson = (path: string): unknown => {
  try {
    return JSON.parse(readFileSync(path, 'utf8'));
  } catch (error) {
    throw new PerdureError('invalid-request', `PERDURE_CONFIG=${path} cannot be read: ${(error as Error).message}`, { cause: error });
  }
};

const isLoopback = (host: string): boolean => host === 'localhost' || host === '::1' || (isIP(host) === 4 && host.startsWith('127.'));
