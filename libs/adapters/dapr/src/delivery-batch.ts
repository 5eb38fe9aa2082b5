import { PerdureError } from '@perdure/contract';
import { SERVICES, serviceOf, type Confirmation, type Envelope, type MessageBody, type SliceName } from '@perdure/delivery';
import { z } from 'zod';
import { DAPR_LIMITS } from './dapr-limits.js';

/** What one service sends another in one call or one event. */
export interface DeliveryBatch {
  readonly envelopes: readonly Envelope[];
  readonly confirmations: readonly Confirmation[];
}

/*
 * The wire. Objects are loose: what a newer sender adds passes through, what this receiver needs must be there. Payloads, options and
 * outcomes are taken as they are: the slice's machine refuses what it cannot use, and it alone (I10).
 */
const positive = z.int().min(1);
const slice = z.custom<SliceName>((value) => typeof value === 'string' && SLICE.test(value), 'is no slice');
const SLICE = new RegExp(`^(${SERVICES.join('|')})/(0|[1-9]\\d{0,5})$`);
const id = z.string().min(1);
const run = z.looseObject({ tenant: id, workflowId: id, runId: id });
const some = z.looseObject({});
const seq = z.int().min(0);

const scheduler = z.discriminatedUnion('kind', [
  z.looseObject({ to: z.literal('scheduler'), kind: z.literal('scheduleTask'), run, seq, role: z.enum(['activity', 'undo']), name: id, options: some, bundle: id, workflowType: id, at: z.number() }),
  z.looseObject({ to: z.literal('scheduler'), kind: z.literal('cancelTask'), run, seq }),
  z.looseObject({ to: z.literal('scheduler'), kind: z.literal('armTimer'), run, seq, dueMs: z.number() }),
  z.looseObject({ to: z.literal('scheduler'), kind: z.literal('disarmTimer'), run, seq }),
  z.looseObject({ to: z.literal('scheduler'), kind: z.literal('dropRun'), run }),
]);
const wait = z.looseObject({ type: id, match: some });
const event = z.looseObject({ tenant: id, source: z.string(), id, type: id, time: z.number(), keys: some });
const correlation = z.discriminatedUnion('kind', [
  z.looseObject({ to: z.literal('correlation'), kind: z.literal('openWait'), run, seq, chain: id, wait, at: z.number() }),
  z.looseObject({ to: z.literal('correlation'), kind: z.literal('closeWait'), run, seq, wait }),
  z.looseObject({ to: z.literal('correlation'), kind: z.literal('settleOffer'), run, seq, offerId: id, taken: z.boolean(), event }),
]);
const compensation = z.discriminatedUnion('kind', [
  z.looseObject({ to: z.literal('compensation'), kind: z.literal('rollback'), run, seq, steps: z.array(some), cause: z.enum(['code', 'terminate', 'conflict']), bundle: id, workflowType: id, at: z.number() }),
  z.looseObject({ to: z.literal('compensation'), kind: z.literal('undoClosed'), run, undoSeq: seq, outcome: z.looseObject({ status: id }), attempts: seq, at: z.number() }),
]);

/** Messages to history are not among them: those are appended to a log, and only the log's ack confirms them (I4). */
const messages = <Body extends z.ZodType>(body: Body) => z.array(z.looseObject({ number: positive, body })).min(1);
const BODIES = { scheduler: messages(scheduler), correlation: messages(correlation), compensation: messages(compensation) } as const;

const head = z.looseObject({ source: slice, destination: slice, mark: positive, messages: z.array(z.unknown()).min(1) });
const envelope = head.transform((value, context): Envelope => {
  const service = serviceOf(value.destination);
  if (service === 'history') {
    context.addIssue({ code: 'custom', path: ['destination'], message: 'is a shard: what goes to it is appended to its log' });
    return z.NEVER;
  }
  const { error } = BODIES[service].safeParse(value.messages);
  for (const { path, message } of error?.issues ?? []) context.addIssue({ code: 'custom', path: ['messages', ...path], message });
  if (error) return z.NEVER;
  return { source: value.source, destination: value.destination, mark: value.mark, messages: value.messages as readonly { readonly number: number; readonly body: MessageBody }[] };
});

const confirmation = z.object({ source: slice, destination: slice, numbers: z.array(positive).max(DAPR_LIMITS.bodyMailsMax) });

const deliveryBatch = z.looseObject({
  envelopes: z.array(envelope).max(DAPR_LIMITS.bodyMailsMax).default([]),
  confirmations: z.array(confirmation).max(DAPR_LIMITS.bodyMailsMax).default([]),
});

/** What is named in an error: the first few are enough for a person to find the sender's fault. */
const ISSUES_SHOWN_MAX = 5;

/** All or nothing. @throws PerdureError `invalid-request` that says where it is wrong */
export const parseDeliveries = (body: unknown): DeliveryBatch => {
  const parsed = deliveryBatch.safeParse(body);
  if (!parsed.success) {
    const issues = parsed.error.issues.slice(0, ISSUES_SHOWN_MAX).map(({ path, message }) => `${path.join('.') || 'body'}: ${message}`);
    throw new PerdureError('invalid-request', `No deliveries: ${issues.join('; ')}.`, { errors: issues });
  }
  const { envelopes, confirmations } = parsed.data;
  if (envelopes.length + confirmations.length === 0) throw new PerdureError('invalid-request', 'No deliveries: neither envelopes nor confirmations.');
  return { envelopes, confirmations };
};
