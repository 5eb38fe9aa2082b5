import { randomBytes } from 'node:crypto';
import { fileURLToPath } from 'node:url';
import { bundle } from '@perdure/bundler';
import { SystemClock } from '@perdure/clock';
import { Client } from '@perdure/sdk/client';
import { Worker, type WorkerLog } from '@perdure/sdk/node';
import * as carrier from './carrier.activities.js';
import { CarrierSimulator } from './carrier-simulator.js';
import { CARRIER_SOURCE, carrierSource, type CarrierSource } from './carrier-source.js';
import type { deliver } from './deliver.workflow.js';
import { takeOrders } from './orders.js';
import { SignedWebhooks } from './signed-webhooks.js';

export interface Swiftcart {
  /** What the server's configuration must declare, so that it takes the carrier's scans. */
  readonly webhooks: Readonly<Record<string, CarrierSource>>;
  /** Deploys the workflow, runs its activities, and takes orders until stopped. */
  start(options: SwiftcartOptions): Promise<{ stop(): Promise<void> }>;
}

export interface SwiftcartOptions {
  readonly url: string;
  readonly log: WorkerLog;
}

const SECRET_BYTES = 32;

/** The sample product of one tenant. Its carrier signs with a secret that is made here and kept in memory alone. */
export const createSwiftcart = (tenant: string): Swiftcart => {
  const secret = `whsec_${randomBytes(SECRET_BYTES).toString('base64')}`;
  return {
    webhooks: { [CARRIER_SOURCE]: carrierSource(tenant, secret) },
    start: (options) => startSwiftcart({ ...options, tenant, secret }),
  };
};

const startSwiftcart = async ({ url, log, tenant, secret }: SwiftcartOptions & { readonly tenant: string; readonly secret: string }): Promise<{ stop(): Promise<void> }> => {
  const clock = new SystemClock();
  const stopping = new AbortController();
  const stopped = stopping.signal;
  const complain = (error: Error): void => {
    if (!stopped.aborted) log(`swiftcart: ${error.message}`);
  };
  const client = new Client({ url, tenant });
  const webhooks = new SignedWebhooks({ url: `${url}/v1/webhooks/${CARRIER_SOURCE}`, secret, clock, stopped });
  const simulator = new CarrierSimulator({ send: (delivery) => webhooks.send(delivery), clock, stopped, onFailed: complain });
  const worker = new Worker({ url, tenant, activities: { ...carrier, ship: shippingBy(simulator) }, log });
  const made = await bundle({ entry: fileURLToPath(new URL('../src/deliver.workflow.ts', import.meta.url)) });
  await client.deploy({ name: 'swiftcart', code: made.code, sourceMap: made.sourceMap });
  const working = worker.run();
  const busy = [resumeParcels(client, simulator).catch(complain), takeOrders({ client, stopped, batch: clock.now().toString(36), onFailed: complain })];
  return {
    stop: async () => {
      stopping.abort();
      await Promise.all([...busy, simulator.settled()]);
      await worker.shutdown(5_000);
      await working;
      await client.close();
    },
  };
};

/** A shipped parcel is the carrier's, who tells by webhook how it fares. */
const shippingBy = (simulator: CarrierSimulator): typeof carrier.ship => async (asked) => {
  const shipped = await carrier.ship(asked);
  await simulator.take({ tracking: shipped.tracking, address: asked.order.address });
  return shipped;
};

/** The carrier's memory ended with the process before: it takes up again what is on its way. A scan that came already is a duplicate to the server. */
const resumeParcels = async (client: Client, simulator: CarrierSimulator): Promise<void> => {
  for await (const { searchAttributes } of client.list({ status: 'running', workflowType: 'deliver' satisfies typeof deliver.name })) {
    const tracking = searchAttributes?.['tracking'];
    if (typeof tracking === 'string') await simulator.take({ tracking, address: 'unknown' });
  }
};
