import { LIMITS, RUN_STATUSES, type Json, type Scalar } from '@perdure/contract';
import { z } from 'zod';

/** Anything that came as JSON is fine as it is; its size is bounded by the body's. */
const json = z.custom<Json>(() => true);
const scalar = z.union([z.string(), z.number(), z.boolean()]);
const memo = z.record(z.string(), json);
const searchAttributes = z.record(z.string().regex(/^[\w.-]{1,64}$/, 'a search attribute is named by 1 to 64 letters, digits, _, . or -'), z.union([scalar, z.array(z.string()).max(64)]));

export const startRequest = z.strictObject({
  workflowType: z.string(),
  workflowId: z.string().optional(),
  /** Tells one start of a workflow id from another; the `Idempotency-Key` header says the same. */
  id: z.string().optional(),
  input: json.optional(),
  bundle: z.string().regex(/^[0-9a-f]{64}$/, 'a bundle is named by its SHA-256, 64 hex digits').optional(),
  memo: memo.optional(),
  searchAttributes: searchAttributes.optional(),
  runTimeoutMs: z.number().optional(),
});
export type StartRequest = z.output<typeof startRequest>;

export const messageRequest = z.strictObject({ id: z.string().optional(), runId: z.string().optional(), input: json.optional() });
export type MessageRequest = z.output<typeof messageRequest>;

export const queryRequest = z.strictObject({ runId: z.string().optional(), input: json.optional() });
export type QueryRequest = z.output<typeof queryRequest>;

const operation = { id: z.string().optional(), runId: z.string().optional(), reason: z.string().max(4096).optional() };
export const cancelRequest = z.strictObject(operation);
export const terminateRequest = z.strictObject({ ...operation, compensate: z.boolean().default(false) });
export const suspendRequest = z.strictObject(operation);
export const resumeRequest = z.strictObject({ ...operation, bundle: startRequest.shape.bundle, fail: z.boolean().default(false) });
export type CancelRequest = z.output<typeof cancelRequest>;
export type TerminateRequest = z.output<typeof terminateRequest>;
export type ResumeRequest = z.output<typeof resumeRequest>;

const limit = z.coerce.number().int().min(1).max(LIMITS.pageMax).default(100);
export const listQuery = z.looseObject({ status: z.enum(RUN_STATUSES).optional(), type: z.string().min(1).optional(), workflowId: z.string().min(1).optional(), cursor: z.string().min(1).optional(), limit });
export const runQuery = z.strictObject({ runId: z.string().optional() });
export const resultQuery = z.strictObject({ runId: z.string().optional(), wait: z.coerce.number().min(0).max(LIMITS.longPollMs / 1000).default(0) });
export const historyQuery = z.strictObject({ runId: z.string().optional(), after: z.coerce.number().int().min(0).default(0), limit });

export const bundleRequest = z.strictObject({ name: z.string(), code: z.string(), sourceMap: z.string().optional() });

export const cloudEvent = z.looseObject({
  specversion: z.literal('1.0'),
  id: z.string(),
  source: z.string(),
  type: z.string(),
  subject: z.string().optional(),
  time: z.iso.datetime({ offset: true }).optional(),
  datacontenttype: z.string().optional(),
  data: json.optional(),
  /** Of the binary kind there is none: what would be dropped is refused. */
  data_base64: z.undefined({ error: 'An event carries JSON: send "data", a string of base64 for what is binary.' }).optional(),
});

/** `attr.city=Rome` in the query string: numbers and booleans are taken as such. */
export const attributeFilter = (query: Record<string, unknown>): Record<string, Scalar> => {
  const found: Record<string, Scalar> = {};
  for (const [key, value] of Object.entries(query)) {
    if (!key.startsWith('attr.') || typeof value !== 'string') continue;
    found[key.slice('attr.'.length)] = value === 'true' ? true : value === 'false' ? false : value !== '' && String(Number(value)) === value ? Number(value) : value;
  }
  return found;
};
