import { createHmac, timingSafeEqual } from 'node:crypto';
import { PerdureError } from '@perdure/contract';
import { z } from 'zod';

export interface SignedRequest {
  /** Names in lower case. */
  readonly headers: Readonly<Record<string, string>>;
  readonly body: Buffer;
}

/**
 * How a sender signs.
 * - `github`: `X-Hub-Signature-256: sha256=HEX`, HMAC-SHA-256 over the body (https://docs.github.com/webhooks/using-webhooks/validating-webhook-deliveries)
 * - `standard`: https://www.standardwebhooks.com, `webhook-signature: v1,BASE64` over `id.timestamp.body`; the timestamp may be 5 minutes off
 * - `hmac`: HMAC over the body in a header of your choice
 */
export const signatureScheme = z.discriminatedUnion('kind', [
  z.strictObject({ kind: z.literal('github') }),
  z.strictObject({ kind: z.literal('standard') }),
  z.strictObject({ kind: z.literal('hmac'), header: z.string().toLowerCase(), algorithm: z.enum(['sha1', 'sha256', 'sha512']).default('sha256'), encoding: z.enum(['hex', 'base64']).default('hex'), prefix: z.string().default('') }),
]);
export type SignatureScheme = z.output<typeof signatureScheme>;

/** Standard Webhooks §"Verifying webhook authenticity". */
const TOLERANCE_S = 5 * 60;

const refused = (why: string): PerdureError => new PerdureError('invalid-signature', why);

const header = ({ headers }: SignedRequest, name: string): string => {
  const value = headers[name];
  if (value === undefined || value === '') throw refused(`The ${name} header is missing.`);
  return value;
};

const equal = (given: Buffer, expected: Buffer): boolean => given.length === expected.length && timingSafeEqual(given, expected);

const assertOne = (isGenuine: boolean): void => {
  if (!isGenuine) throw refused('The signature does not fit the body.');
};

/** @throws PerdureError `invalid-signature`: wrong, missing or stale. Any of the secrets will do: two are valid while one replaces the other. */
export const verifySignature = (scheme: SignatureScheme, secrets: readonly string[], request: SignedRequest & { readonly nowMs: number }): void => {
  if (scheme.kind === 'standard') return verifyStandard(secrets, request);
  const { name, algorithm, encoding, prefix } = scheme.kind === 'github' ? ({ name: 'x-hub-signature-256', algorithm: 'sha256', encoding: 'hex', prefix: 'sha256=' } as const) : { ...scheme, name: scheme.header };
  const value = header(request, name);
  if (!value.startsWith(prefix)) throw refused(`The ${name} header does not begin with "${prefix}".`);
  const given = Buffer.from(value.slice(prefix.length), encoding);
  assertOne(secrets.some((secret) => equal(given, createHmac(algorithm, secret).update(request.body).digest())));
};

const verifyStandard = (secrets: readonly string[], request: SignedRequest & { readonly nowMs: number }): void => {
  const id = header(request, 'webhook-id');
  const timestamp = header(request, 'webhook-timestamp');
  if (!/^\d{1,12}$/.test(timestamp)) throw refused('The webhook-timestamp header is not a number of seconds.');
  if (Math.abs(request.nowMs / 1000 - Number(timestamp)) > TOLERANCE_S) throw refused('The delivery is stale: its timestamp is more than 5 minutes off.');
  const given = header(request, 'webhook-signature').split(' ').filter((part) => part.startsWith('v1,')).map((part) => Buffer.from(part.slice('v1,'.length), 'base64'));
  const expected = secrets.map((secret) => createHmac('sha256', standardKey(secret)).update(`${id}.${timestamp}.`).update(request.body).digest());
  assertOne(given.some((each) => expected.some((other) => equal(each, other))));
};

/** `whsec_BASE64`, or the key's text itself. */
const standardKey = (secret: string): Buffer => (secret.startsWith('whsec_') ? Buffer.from(secret.slice('whsec_'.length), 'base64') : Buffer.from(secret));
