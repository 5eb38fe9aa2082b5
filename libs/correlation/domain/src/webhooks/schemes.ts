import { createHmac, timingSafeEqual } from 'node:crypto';
import { PerdureError } from '@perdure/contract';
import { z } from 'zod';

export interface SignedRequest {
  /** Names in lower case. */
  readonly headers: Readonly<Record<string, string>>;
  /** As it came: a signature is over bytes. */
  readonly body: Buffer;
}

type TimedRequest = SignedRequest & { readonly nowMs: number };

/** Standard Webhooks §"Verifying webhook authenticity". */
const TOLERANCE_MS = 5 * 60_000;

/** Where the sender puts the time, and what it then signs, say `v0:{timestamp}:{body}`. */
const timestamp = z.strictObject({
  header: z.string().toLowerCase(),
  unit: z.enum(['s', 'ms']).default('s'),
  toleranceMs: z.int().positive().default(TOLERANCE_MS),
  signed: z
    .string()
    .refine((text) => text.includes('{timestamp}') && text.split('{body}').length === 2, 'holds {timestamp}, and {body} once')
    .default('{timestamp}.{body}'),
});

const hmac = z.strictObject({
  kind: z.literal('hmac'),
  header: z.string().toLowerCase(),
  algorithm: z.enum(['sha1', 'sha256', 'sha512']).default('sha256'),
  encoding: z.enum(['hex', 'base64']).default('hex'),
  prefix: z.string().default(''),
  /** Absent: the body alone is signed, and only the delivery's id tells a replay. */
  timestamp: timestamp.optional(),
});
type Hmac = z.output<typeof hmac>;

/**
 * How a sender signs.
 * - `github`: `X-Hub-Signature-256: sha256=HEX`, HMAC-SHA-256 over the body (https://docs.github.com/webhooks/using-webhooks/validating-webhook-deliveries)
 * - `standard`: https://www.standardwebhooks.com, `webhook-signature: v1,BASE64` over `id.timestamp.body`; the timestamp may be 5 minutes off
 * - `hmac`: HMAC in a header of your choice
 */
export const signatureScheme = z.discriminatedUnion('kind', [z.strictObject({ kind: z.literal('github') }), z.strictObject({ kind: z.literal('standard') }), hmac]);
export type SignatureScheme = z.output<typeof signatureScheme>;

const GITHUB: Hmac = { kind: 'hmac', header: 'x-hub-signature-256', algorithm: 'sha256', encoding: 'hex', prefix: 'sha256=' };

/** @throws PerdureError `invalid-signature`: wrong, missing or stale. Any of the secrets will do: two are valid while one replaces the other. */
export const verifySignature = (scheme: SignatureScheme, secrets: readonly string[], request: TimedRequest): void => {
  if (scheme.kind === 'standard') verifyStandard(secrets, request);
  else verifyHmac(scheme.kind === 'github' ? GITHUB : scheme, secrets, request);
};

const verifyHmac = ({ header: name, algorithm, encoding, prefix, timestamp }: Hmac, secrets: readonly string[], request: TimedRequest): void => {
  const value = header(request, name);
  if (!value.startsWith(prefix)) throw refused(`The ${name} header does not begin with "${prefix}".`);
  const given = Buffer.from(value.slice(prefix.length), encoding);
  const time = timestamp && freshTimestamp(request, { ...timestamp, name: timestamp.header });
  const [before = '', after = ''] = timestamp && time !== undefined ? timestamp.signed.replaceAll('{timestamp}', () => time).split('{body}') : [];
  assertOne(secrets.some((secret) => equal(given, createHmac(algorithm, secret).update(before).update(request.body).update(after).digest())));
};

const verifyStandard = (secrets: readonly string[], request: TimedRequest): void => {
  const id = header(request, 'webhook-id');
  const time = freshTimestamp(request, { name: 'webhook-timestamp', unit: 's', toleranceMs: TOLERANCE_MS });
  const given = header(request, 'webhook-signature').split(' ').filter((part) => part.startsWith('v1,')).map((part) => Buffer.from(part.slice('v1,'.length), 'base64'));
  const expected = secrets.map((secret) => createHmac('sha256', standardKey(secret)).update(`${id}.${time}.`).update(request.body).digest());
  assertOne(given.some((each) => expected.some((other) => equal(each, other))));
};

/** `whsec_BASE64`, or the key's text itself. */
const standardKey = (secret: string): Buffer => (secret.startsWith('whsec_') ? Buffer.from(secret.slice('whsec_'.length), 'base64') : Buffer.from(secret));

/** The header's text, if the time it tells is near enough. */
const freshTimestamp = (request: TimedRequest, { name, unit, toleranceMs }: { readonly name: string; readonly unit: 's' | 'ms'; readonly toleranceMs: number }): string => {
  const text = header(request, name);
  if (!/^\d{1,15}$/.test(text)) throw refused(`The ${name} header is not a time.`);
  const sentMs = Number(text) * (unit === 's' ? 1000 : 1);
  if (Math.abs(request.nowMs - sentMs) > toleranceMs) throw refused(`The delivery is stale: its timestamp is more than ${toleranceMs} ms off.`);
  return text;
};

const header = ({ headers }: SignedRequest, name: string): string => {
  const value = headers[name];
  if (value === undefined || value === '') throw refused(`The ${name} header is missing.`);
  return value;
};

const equal = (given: Buffer, expected: Buffer): boolean => given.length === expected.length && timingSafeEqual(given, expected);

const assertOne = (isGenuine: boolean): void => {
  if (!isGenuine) throw refused('The signature does not fit the body.');
};

const refused = (why: string): PerdureError => new PerdureError('invalid-signature', why);
