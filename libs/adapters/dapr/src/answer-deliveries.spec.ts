import { describe, expect, it } from '@jest/globals';
import { answerBulk } from './answer-deliveries.js';
import type { DeliveryBatch } from './delivery-batch.js';

const confirmation = { source: 'history/0', destination: 'scheduler/0', numbers: [1] } as const;
const batch = { envelopes: [], confirmations: [confirmation] };
const event = (data: unknown): unknown => ({ specversion: '1.0', id: 'e', type: 'com.dapr.event.sent', datacontenttype: 'application/json', data });
const bulk = (...datas: unknown[]): unknown => ({ id: 'b', entries: datas.map((data, index) => ({ entryId: `e${index}`, event: event(data), contentType: 'application/cloudevents+json' })) });

const receiver = (error?: Error): { readonly taken: DeliveryBatch[]; readonly deliver: (taken: DeliveryBatch) => Promise<void> } => {
  const taken: DeliveryBatch[] = [];
  return { taken, deliver: async (each) => void (taken.push(each), error ? await Promise.reject(error) : undefined) };
};

describe('What the broker brings', () => {
  it('is delivered in one go, and each is acknowledged by name', async () => {
    const { taken, deliver } = receiver();
    expect(await answerBulk(bulk(batch, batch), deliver)).toEqual({ httpStatus: 200, body: { statuses: [{ entryId: 'e0', status: 'SUCCESS' }, { entryId: 'e1', status: 'SUCCESS' }] } });
    expect(taken).toEqual([{ envelopes: [], confirmations: [confirmation, confirmation] }]);
  });

  it('comes again when it could not be delivered, whatever was thrown', async () => {
    const heard: string[] = [];
    const answer = await answerBulk(bulk(batch), receiver(new TypeError('a fault')).deliver, { undelivered: ({ message }) => void heard.push(message) });
    expect(answer.body).toEqual({ statuses: [{ entryId: 'e0', status: 'RETRY' }] });
    expect(heard).toEqual(['a fault']);
  });

  it('comes again when it cannot be read, and holds up none of the others', async () => {
    const { taken, deliver } = receiver();
    const heard: string[] = [];
    const body = { entries: [...(bulk(batch, { envelopes: [7] }) as { entries: unknown[] }).entries, { entryId: 'e2', event: 'no event' }] };
    const answer = await answerBulk(body, deliver, { unreadable: ({ message }) => void heard.push(message) });
    expect(answer.body).toEqual({ statuses: [{ entryId: 'e0', status: 'SUCCESS' }, { entryId: 'e1', status: 'RETRY' }, { entryId: 'e2', status: 'RETRY' }] });
    expect(taken).toEqual([batch]);
    expect(heard).toHaveLength(2);
  });

  it('may be a single event', async () => {
    expect(await answerBulk(event(batch), receiver().deliver)).toEqual({ httpStatus: 200, body: { status: 'SUCCESS' } });
    expect(await answerBulk(event(batch), receiver(new Error('away')).deliver)).toEqual({ httpStatus: 500, body: { status: 'RETRY' } });
  });

  it.each([undefined, 'garbage', {}, { entries: 'x' }, { entries: [{ event: {} }] }, null])('is never acknowledged when it is no event at all: %j', async (body) => {
    const { taken, deliver } = receiver();
    expect(await answerBulk(body, deliver)).toEqual({ httpStatus: 500, body: { status: 'RETRY' } });
    expect(taken).toEqual([]);
  });
});
