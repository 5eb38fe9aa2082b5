import { readFileSync } from 'node:fs';
import { PerdureError } from '@perdure/contract';
import type { EtcdSecurity } from '@perdure/etcd';
import type { KafkaSecurity } from '@perdure/kafka';
import { z } from 'zod';

/** A file of certificates or a key, by its path; what counts from there on is what it held. */
const pemFile = z.string().transform((path, context): string => {
  try {
    const text = readFileSync(path, 'utf8');
    if (text.includes('-----BEGIN ')) return text;
    context.addIssue({ code: 'custom', message: `${path} is not in PEM` });
  } catch (error) {
    context.addIssue({ code: 'custom', message: `${path} cannot be read: ${(error as Error).message}` });
  }
  return z.NEVER;
}).optional();
const secret = z.string().min(1).optional();

/** How Kafka and etcd are spoken to. What PostgreSQL wants is in its URL. */
export const SECURITY_VARIABLES = {
  /** Whether brokers are spoken to by TLS. */
  PERDURE_KAFKA_TLS: z.enum(['on', 'off']).default('off'),
  PERDURE_KAFKA_CA: pemFile,
  PERDURE_KAFKA_CERT: pemFile,
  PERDURE_KAFKA_KEY: pemFile,
  PERDURE_KAFKA_SASL: z.enum(['PLAIN', 'SCRAM-SHA-256', 'SCRAM-SHA-512']).optional(),
  PERDURE_KAFKA_USER: secret,
  PERDURE_KAFKA_PASSWORD: secret,
  PERDURE_ETCD_CA: pemFile,
  PERDURE_ETCD_CERT: pemFile,
  PERDURE_ETCD_KEY: pemFile,
  PERDURE_ETCD_USER: secret,
  PERDURE_ETCD_PASSWORD: secret,
};

type Found = z.output<z.ZodObject<typeof SECURITY_VARIABLES>>;
type Name = keyof Found;

/** @throws PerdureError `invalid-request` when one variable lacks another */
export const toKafkaSecurity = (found: Found): KafkaSecurity => {
  together(found, ['PERDURE_KAFKA_CERT', 'PERDURE_KAFKA_KEY']);
  together(found, ['PERDURE_KAFKA_SASL', 'PERDURE_KAFKA_USER', 'PERDURE_KAFKA_PASSWORD']);
  const { PERDURE_KAFKA_TLS: tls, PERDURE_KAFKA_CA: ca, PERDURE_KAFKA_CERT: cert, PERDURE_KAFKA_KEY: key, PERDURE_KAFKA_SASL: mechanism, PERDURE_KAFKA_USER: username, PERDURE_KAFKA_PASSWORD: password } = found;
  if (tls === 'off') for (const name of ['PERDURE_KAFKA_CA', 'PERDURE_KAFKA_CERT'] as const) if (found[name] !== undefined) throw refused(name, 'counts only with PERDURE_KAFKA_TLS=on');
  return {
    ...(tls === 'on' ? { tls: present({ ca, cert, key }) } : {}),
    ...(mechanism !== undefined && username !== undefined && password !== undefined ? { sasl: { mechanism, username, password } } : {}),
  };
};

/** @throws PerdureError `invalid-request` when one variable lacks another, or endpoints would be spoken to in the clear all the same */
export const toEtcdSecurity = (found: Found, endpoints: readonly string[]): EtcdSecurity => {
  together(found, ['PERDURE_ETCD_CERT', 'PERDURE_ETCD_KEY']);
  together(found, ['PERDURE_ETCD_USER', 'PERDURE_ETCD_PASSWORD']);
  const { PERDURE_ETCD_CA: ca, PERDURE_ETCD_CERT: cert, PERDURE_ETCD_KEY: key, PERDURE_ETCD_USER: name, PERDURE_ETCD_PASSWORD: password } = found;
  const clear = endpoints.find((endpoint) => !endpoint.startsWith('https://'));
  for (const each of ['PERDURE_ETCD_CA', 'PERDURE_ETCD_CERT'] as const) if (found[each] !== undefined && clear !== undefined) throw refused(each, `PERDURE_ETCD has ${clear}, and only https:// is TLS`);
  return {
    ...(ca ?? cert ? { tls: present({ ca, cert, key }) } : {}),
    ...(name !== undefined && password !== undefined ? { user: { name, password } } : {}),
  };
};

const together = (found: Found, names: readonly Name[]): void => {
  const [given] = names.filter((name) => found[name] !== undefined);
  const missing = names.filter((name) => found[name] === undefined);
  if (given !== undefined && missing.length > 0) throw refused(given, `needs ${missing.join(' and ')}`);
};

const refused = (name: Name, why: string): PerdureError => new PerdureError('invalid-request', `environment: ${name}: ${why}.`);

const present = <T extends object>(parts: T): { [K in keyof T]?: Exclude<T[K], undefined> } =>
  Object.fromEntries(Object.entries(parts).filter(([, value]) => value !== undefined)) as { [K in keyof T]?: Exclude<T[K], undefined> };
