import { setTimeout as sleep } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { bundle } from '@perdure/bundler';
import { SystemClock } from '@perdure/clock';
import { Client } from '@perdure/sdk/client';
import { Worker } from '@perdure/sdk/node';
import { simulateCarrier } from './carrier-simulator.js';
import * as carrier from './carrier.activities.js';
import type { deliver, Order } from './deliver.workflow.js';

export interface SwiftcartOptions {
  readonly url: string;
  readonly tenant: string;
  readonly log: (text: string) => void;
  /** Time from one order to the next. Default 5,000. */
  readonly orderEveryMs?: number;
}

const ITEMS = ['lamp', 'kettle', 'bicycle bell', 'desk', 'umbrella'];

/** The sample product: deploys its workflow, runs its activities, and takes an order every few seconds. */
export const startSwiftcart = async ({ url, tenant, log, orderEveryMs = 5_000 }: SwiftcartOptions): Promise<{ stop(): Promise<void> }> => {
  const client = new Client({ url, tenant });
  const worker = new Worker({ url, tenant, activities: carrier, log });
  const made = await bundle({ entry: fileURLToPath(new URL('../src/deliver.workflow.ts', import.meta.url)) });
  await client.deploy({ name: 'swiftcart', code: made.code, sourceMap: made.sourceMap });
  const stopped = new AbortController();
  const working = worker.run();
  const ordering = takeOrders({ client, stopped: stopped.signal, orderEveryMs, log });
  log('swiftcart takes an order every few seconds; see them with: npm run perdure -- list');
  return {
    stop: async () => {
      stopped.abort();
      await ordering;
      await worker.shutdown(5_000);
      await working;
      await client.close();
    },
  };
};

interface Ordering {
  readonly client: Client;
  readonly stopped: AbortSignal;
  readonly orderEveryMs: number;
  readonly log: (text: string) => void;
}

const takeOrders = async ({ client, stopped, orderEveryMs, log }: Ordering): Promise<void> => {
  const clock = new SystemClock();
  const batch = clock.now().toString(36);
  for (let count = 1; !stopped.aborted; count++) {
    const order: Order = { orderId: `${batch}-${count}`, item: ITEMS[count % ITEMS.length]!, amount: 10 + (count % 90), address: `${count} Harbour Street` };
    try {
      await client.start<typeof deliver>('deliver', { workflowId: `order-${order.orderId}`, input: order, searchAttributes: { item: order.item } });
      await simulateCarrier(client, { tracking: `SC-${order.orderId}`, count, clock });
    } catch (error) {
      if (!stopped.aborted) log(`swiftcart: ${(error as Error).message}`);
    }
    await sleep(orderEveryMs, undefined, { signal: stopped }).catch(() => undefined);
  }
};
