import { PerdureError, type ExternalEvent, type Json } from '@perdure/contract';
import { z } from 'zod';
import { drawKeys } from '../event-keys.js';
import { compile, expression } from '../jmespath.js';
import { signatureScheme, verifySignature, type SignedRequest } from './schemes.js';

const secret = z.string().min(1);

/** Where a sender's deliveries go: `POST /v1/webhooks/NAME`. Expressions are JMESPath over `{ headers, body }`, header names in lower case. */
export const webhookSource = z.strictObject({
  tenant: z.string().min(1),
  scheme: signatureScheme,
  /** One, or two while one replaces the other. */
  secrets: z.array(secret).min(1).max(2),
  /** The delivery's identity. Defaults by scheme: `headers."x-github-delivery"`, `headers."webhook-id"`, `body.id`. */
  id: expression.optional(),
  /** The event's type; a delivery that yields none is acknowledged and is no event. Defaults by scheme: `github.EVENT.ACTION`, `body.type`. */
  type: expression.optional(),
  /** RFC 3339, or epoch seconds. Absent, or not to be read as either: the time of arrival. */
  time: expression.optional(),
  /** Default for GitHub: `repository`, `number` (of the issue or pull request) and `action`; else none. */
  keys: z.record(z.string(), expression).optional(),
});
export type WebhookSource = z.output<typeof webhookSource>;

/** As it stands in a configuration: secrets by the name of what holds them, and in the text itself for tests alone. */
export const webhookSourceDeclaration = webhookSource.extend({ secrets: z.array(z.union([secret, z.strictObject({ env: secret })])).min(1).max(2) });
export type WebhookSourceDeclaration = z.output<typeof webhookSourceDeclaration>;

/**
 * Puts the secrets in the place of their names. Called by the app's config, with the environment that it has read.
 * @throws Error that lists every name without a value
 */
export const resolveWebhookSources = (declared: Readonly<Record<string, WebhookSourceDeclaration>>, env: Readonly<Record<string, string | undefined>>): Record<string, WebhookSource> => {
  const missing: string[] = [];
  const valueOf = (source: string, reference: string | { readonly env: string }): string => {
    if (typeof reference === 'string') return reference;
    const value = env[reference.env];
    if (!value) missing.push(`${reference.env} (webhook source "${source}")`);
    return value ?? '';
  };
  const resolved = Object.entries(declared).map(([name, source]) => [name, { ...source, secrets: source.secrets.map((reference) => valueOf(name, reference)) }] as const);
  if (missing.length > 0) throw new Error(`Secrets without a value in the environment: ${missing.join(', ')}.`);
  return Object.fromEntries(resolved);
};

interface Expressions {
  readonly id: string;
  readonly type: string;
  readonly time?: string;
  readonly keys: Readonly<Record<string, string>>;
}

/** GitHub's event and action: `issues.opened`, `push`. */
const GITHUB: Expressions = {
  id: 'headers."x-github-delivery"',
  type: "join('.', ['github', headers.\"x-github-event\", body.action] | [?@])",
  keys: { repository: 'body.repository.full_name', number: 'body.issue.number || body.pull_request.number || body.number', action: 'body.action' },
};
const STANDARD: Expressions = { id: 'headers."webhook-id"', type: 'body.type', time: 'body.timestamp', keys: {} };
const PLAIN: Expressions = { id: 'body.id', type: 'body.type', keys: {} };

const expressionsOf = (source: WebhookSource): Expressions => {
  const built = { github: GITHUB, standard: STANDARD, hmac: PLAIN }[source.scheme.kind];
  const time = source.time ?? built.time;
  return { id: source.id ?? built.id, type: source.type ?? built.type, keys: source.keys ?? built.keys, ...(time === undefined ? {} : { time }) };
};

const parse = (body: Buffer): Json => {
  try {
    return JSON.parse(new TextDecoder('utf-8', { fatal: true }).decode(body)) as Json;
  } catch (error) {
    throw new PerdureError('malformed-json', `The delivery is not JSON: ${(error as Error).message}`);
  }
};

const timeOf = (value: unknown, nowMs: number): number => {
  const time = typeof value === 'number' ? value * 1000 : typeof value === 'string' ? Date.parse(value) : Number.NaN;
  return Number.isFinite(time) ? time : nowMs;
};

/** All declared sources. */
export class WebhookSources {
  readonly #sources: ReadonlyMap<string, WebhookSource>;

  constructor(sources: Readonly<Record<string, WebhookSource>> = {}) {
    this.#sources = new Map(Object.entries(sources));
  }

  /**
   * The delivery as an event; `undefined` when it is genuine but no event (a ping).
   * @throws PerdureError `unknown-source`, `invalid-signature`, `malformed-json`, `invalid-request`, `limit-exceeded`
   */
  receive(name: string, request: SignedRequest & { readonly nowMs: number }): ExternalEvent | undefined {
    const source = this.#sources.get(name);
    if (!source) throw new PerdureError('unknown-source', `There is no webhook source "${name}".`);
    verifySignature(source.scheme, source.secrets, request);
    const from = { headers: request.headers, body: parse(request.body) };
    const expressions = expressionsOf(source);
    const type = compile(expressions.type)(from);
    if (typeof type !== 'string' || type === '') return undefined;
    const id = compile(expressions.id)(from);
    if ((typeof id !== 'string' && typeof id !== 'number') || id === '') throw new PerdureError('invalid-request', `The delivery has no id (${expressions.id}).`);
    const time = expressions.time === undefined ? undefined : compile(expressions.time)(from);
    return { tenant: source.tenant, source: `/webhooks/${name}`, id: String(id), type, time: timeOf(time, request.nowMs), keys: drawKeys(expressions.keys, from), data: from.body };
  }
}
