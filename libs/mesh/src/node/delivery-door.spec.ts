import { describe, expect, it } from '@jest/globals';
import type { Confirmation, Envelope, SliceName } from '@perdure/delivery';
import { DeliveryDoor } from './delivery-door.js';

const envelope = (destination: SliceName): Envelope => ({ source: 'history/0', destination, mark: 1, messages: [] });
const confirmation = (source: SliceName): Confirmation => ({ source, destination: 'history/0', numbers: [1] });

const door = () => {
  const received: unknown[] = [];
  const posted: { address: string; body: unknown }[] = [];
  const owner = { receive: (each: Envelope) => received.push(each), confirm: (each: Confirmation) => received.push(each) };
  const placed: Record<string, { id: string; address: string }> = { 'scheduler/0': { id: 'me', address: 'me:1' }, 'scheduler/1': { id: 'other', address: 'other:1' }, 'scheduler/2': { id: 'me', address: 'me:1' } };
  const host = { owner: (slice: SliceName) => (slice === 'scheduler/0' ? owner : undefined), nodeOf: (slice: SliceName) => placed[slice] };
  const calls = { post: async (address: string, _path: string, { body }: { body: unknown }) => void posted.push({ address, body }) };
  return { door: new DeliveryDoor({ selfId: 'me', host, calls }), received, posted };
};

describe('DeliveryDoor', () => {
  it('gives to its owners what is theirs and sends the rest to the node that should have it', async () => {
    const made = door();
    await made.door.deliver({ envelopes: [envelope('scheduler/0'), envelope('scheduler/1')], confirmations: [confirmation('scheduler/0'), confirmation('scheduler/1')] }, { isForwarded: false });
    expect(made.received).toEqual([envelope('scheduler/0'), confirmation('scheduler/0')]);
    expect(made.posted).toEqual([{ address: 'other:1', body: { envelopes: [envelope('scheduler/1')], confirmations: [confirmation('scheduler/1')] } }]);
  });

  it('says so when nobody has the slice, having handed on all else', async () => {
    const made = door();
    await expect(made.door.deliver({ envelopes: [envelope('scheduler/2'), envelope('scheduler/0'), envelope('scheduler/9')], confirmations: [] }, { isForwarded: false })).rejects.toMatchObject({ code: 'not-owner', message: expect.stringContaining('scheduler/2, scheduler/9') as unknown as string });
    expect(made.received).toHaveLength(1);
  });

  it('sends nothing round in circles', async () => {
    const made = door();
    await expect(made.door.deliver({ envelopes: [envelope('scheduler/1')], confirmations: [] }, { isForwarded: true })).rejects.toMatchObject({ code: 'not-owner' });
    expect(made.posted).toEqual([]);
  });
});
