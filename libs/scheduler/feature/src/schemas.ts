import { LIMITS, type Failure, type Json } from '@perdure/contract';
import { z } from 'zod';

/** JSON as it came: it is data of the user's, so its inside is not looked at. */
const json = z.unknown().transform((value) => value as Json | undefined);

const name = z.string().min(1).max(LIMITS.nameBytesMax);
/** A token holds a task's key, which is made of three ids and a number. */
const token = z.string().min(1).max(4 * LIMITS.idBytesMax);

const failure: z.ZodType<Failure> = z.lazy(() =>
  z.strictObject({
    type: z.string().max(LIMITS.nameBytesMax),
    message: z.string(),
    stack: z.string().optional(),
    code: z.string().max(LIMITS.nameBytesMax).optional(),
    retryable: z.boolean().optional(),
    details: json.optional(),
    cause: failure.optional(),
  }),
);

export const pollBody = z.strictObject({
  worker: name,
  session: name,
  queues: z.array(name).min(1).max(100),
  activities: z.array(name).max(LIMITS.pageMax).optional(),
  slots: z.int().min(0).max(LIMITS.pollSlotsMax),
  /** Answers not yet acknowledged are listed too, so there may be more than slots. */
  holding: z.array(token).max(10 * LIMITS.pollSlotsMax).default([]),
  waitMs: z.int().min(0).max(LIMITS.longPollMs).default(0),
  surgical: z.boolean().optional(),
});

const answer = z.discriminatedUnion('kind', [
  z.strictObject({ token, kind: z.literal('completed'), value: json.optional() }),
  z.strictObject({ token, kind: z.literal('failed'), error: failure, retryAfterMs: z.number().min(0).max(LIMITS.durationMsMax).optional() }),
  z.strictObject({ token, kind: z.literal('cancelled'), error: failure.optional() }),
  z.strictObject({ token, kind: z.literal('accepted') }),
]);

export const answersBody = z.strictObject({ answers: z.array(answer).max(LIMITS.pollSlotsMax) });

export const tasksQuery = z.strictObject({ workflowId: z.string().min(1).max(LIMITS.idBytesMax) });

export const heartbeatsBody = z.strictObject({ heartbeats: z.array(z.strictObject({ token, progress: json.optional() })).max(LIMITS.pollSlotsMax) });
