import { toPerdureError, type PerdureError } from '@perdure/contract';
import { z } from 'zod';
import { DAPR_LIMITS } from './dapr-limits.js';
import { parseDeliveries, type DeliveryBatch } from './delivery-batch.js';

/** Gives what has come to the slices' owners, here or on another node. Throws: it has not reached all of them, and must come again. */
export type Deliver = (batch: DeliveryBatch) => Promise<void>;

/** What the route answers, status and body, and nothing else: to Dapr any other 2xx, and a 404, is an acknowledgement. */
export interface DeliveryAnswer {
  readonly httpStatus: number;
  readonly body: unknown;
}

export interface AnswerOptions {
  /** What could not be read, for the log and the metrics. */
  readonly unreadable?: (error: PerdureError) => void;
  /** What could not be delivered now. */
  readonly undelivered?: (error: PerdureError) => void;
}

type Status = 'SUCCESS' | 'RETRY';

const cloudEvent = z.looseObject({ data: z.unknown() });
const bulkBody = z.looseObject({ entries: z.array(z.looseObject({ entryId: z.string().min(1), event: z.unknown() })).max(DAPR_LIMITS.bodyMailsMax) });

/**
 * To what the sidecar has from a broker: one CloudEvent, or many at once.
 *
 * 1. `SUCCESS` is said of what was delivered, by name; there is no other way to it.
 * 2. What cannot be read is answered `RETRY` too. `DROP`, as 404, would lose it; the subscription's policy tries it a few times and then
 *    puts it into the dead letter topic, where it is kept for a person.
 * 3. What a delivery fails with stays here: whatever is thrown, the answer is `RETRY`.
 */
export const answerBulk = async (body: unknown, deliver: Deliver, options: AnswerOptions = {}): Promise<DeliveryAnswer> => {
  const bulk = bulkBody.safeParse(body);
  if (!bulk.success) {
    const [status] = await statusesOf([body], deliver, options);
    // 500, and not only the word: of a body that is not even an event, the sidecar might not read one.
    return { httpStatus: status === 'SUCCESS' ? 200 : 500, body: { status } };
  }
  const { entries } = bulk.data;
  const statuses = await statusesOf(entries.map(({ event }) => event), deliver, options);
  return { httpStatus: 200, body: { statuses: entries.map(({ entryId }, index) => ({ entryId, status: statuses[index] })) } };
};

/** In the order of the events. Those that can be read are delivered in one go, and share its outcome. */
async function statusesOf(events: readonly unknown[], deliver: Deliver, { unreadable, undelivered }: AnswerOptions): Promise<Status[]> {
  const batches = events.map((event) => {
    try {
      return parseDeliveries(dataOf(event));
    } catch (thrown) {
      unreadable?.(toPerdureError(thrown));
      return undefined;
    }
  });
  const readable = batches.filter((batch) => batch !== undefined);
  const status = readable.length > 0 ? await statusOf(merge(readable), deliver, undelivered) : 'RETRY';
  return batches.map((batch) => (batch ? status : 'RETRY'));
}

async function statusOf(batch: DeliveryBatch, deliver: Deliver, undelivered: AnswerOptions['undelivered']): Promise<Status> {
  try {
    await deliver(batch);
    return 'SUCCESS';
  } catch (thrown) {
    undelivered?.(toPerdureError(thrown));
    return 'RETRY';
  }
}

const merge = (batches: readonly DeliveryBatch[]): DeliveryBatch => ({
  envelopes: batches.flatMap(({ envelopes }) => envelopes),
  confirmations: batches.flatMap(({ confirmations }) => confirmations),
});

/** @throws ZodError when it is no CloudEvent */
const dataOf = (event: unknown): unknown => cloudEvent.parse(event).data;
