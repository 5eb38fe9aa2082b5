import { describe, expect, it } from '@jest/globals';
import { ManualClock } from '@perdure/clock';
import { CarrierSimulator, LOST_AT } from './carrier-simulator.js';
import type { Delivery } from './signed-webhooks.js';

const simulator = (send: (delivery: Delivery) => Promise<void> = async () => undefined) => {
  const sent: string[] = [];
  const failed: string[] = [];
  const carrier = new CarrierSimulator({
    send: async (delivery) => {
      sent.push(delivery.id);
      await send(delivery);
    },
    clock: new ManualClock(),
    stopped: new AbortController().signal,
    onFailed: ({ message }) => failed.push(message),
    scanEveryMs: 0,
  });
  return { carrier, sent, failed, scansOf: (tracking: string) => sent.filter((id) => id.startsWith(`${tracking}/`)).map((id) => id.slice(tracking.length + 1)) };
};
const take = (carrier: CarrierSimulator, ...trackings: string[]) => Promise.all(trackings.map((tracking) => carrier.take({ tracking, address: 'Rome' })));

const PICKED_UP = 'carrier.picked-up';
const DELIVERED = 'carrier.delivered';

describe('CarrierSimulator', () => {
  it('tells of parcels in order, twice, and out of order', async () => {
    const { carrier, scansOf } = simulator();
    await take(carrier, 'a', 'b', 'c', 'd');
    await carrier.settled();
    expect(['a', 'b', 'c', 'd'].map(scansOf)).toEqual([
      [PICKED_UP, DELIVERED],
      [PICKED_UP, DELIVERED],
      [PICKED_UP, PICKED_UP, DELIVERED, DELIVERED],
      [DELIVERED, PICKED_UP],
    ]);
  });

  it('tells of an early one before it says that it has it', async () => {
    const { carrier, scansOf } = simulator();
    await take(carrier, 'a');
    expect(scansOf('a')).toEqual([]);
    await take(carrier, 'b');
    expect(scansOf('b')).toEqual([PICKED_UP, DELIVERED]);
    await carrier.settled();
  });

  it('takes a parcel once, however often its activity is tried', async () => {
    const { carrier, scansOf } = simulator();
    await take(carrier, 'a', 'a');
    await carrier.settled();
    expect(scansOf('a')).toEqual([PICKED_UP, DELIVERED]);
  });

  it('loses what goes to where parcels are lost', async () => {
    const { carrier, sent } = simulator();
    await carrier.take({ tracking: 'a', address: `1 Harbour Street, ${LOST_AT}` });
    await carrier.settled();
    expect(sent).toEqual([]);
  });

  it('says when a scan is not taken, and ships all the same', async () => {
    const { carrier, failed } = simulator(() => Promise.reject(new Error('refused')));
    await take(carrier, 'a', 'b');
    await carrier.settled();
    expect(failed).toEqual(['refused', 'refused']);
  });
});
