import { setTimeout as pause } from 'node:timers/promises';
import type { Client } from '@perdure/sdk/client';
import { NOT_SERVED } from './carrier.activities.js';
import { LOST_AT } from './carrier-simulator.js';
import type { deliver, Order } from './deliver.workflow.js';

const ITEMS = ['lamp', 'kettle', 'bicycle bell', 'desk', 'umbrella'];
/** So many at once in the beginning, so that there is something to see; each sort of order is among them. */
const FIRST = 10;
const ORDER_EVERY_MS = 5_000;

export interface Ordering {
  readonly client: Client;
  readonly stopped: AbortSignal;
  /** Tells this process's orders from those of others. */
  readonly batch: string;
  readonly onFailed: (error: Error) => void;
}

/** The shop's customers. Of every ten orders one goes where the carrier does not, and one gets lost, until its customer gives up. */
export const takeOrders = async ({ client, stopped, batch, onFailed }: Ordering): Promise<void> => {
  for (let count = 1; !stopped.aborted; count++) {
    await place(client, orderOf(batch, count)).catch(onFailed);
    if (count >= FIRST) await pause(ORDER_EVERY_MS, undefined, { signal: stopped }).catch(() => undefined);
  }
};

const place = async (client: Client, order: Order): Promise<void> => {
  const run = await client.start<typeof deliver>('deliver', { workflowId: `order-${order.orderId}`, input: order, searchAttributes: { item: order.item } });
  if (order.address.endsWith(LOST_AT)) await run.cancel({ reason: 'the customer has given up' });
};

export const orderOf = (batch: string, count: number): Order => ({
  orderId: `${batch}-${count}`,
  item: ITEMS[count % ITEMS.length]!,
  amount: 10 + (count % 90),
  address: `${count} Harbour Street, ${placeOf(count)}`,
});

const placeOf = (count: number): string => {
  if (count % 10 === 6) return NOT_SERVED;
  return count % 10 === 9 ? LOST_AT : 'Rome';
};
