import { createHmac } from 'node:crypto';
import { setTimeout as pause } from 'node:timers/promises';
import type { Delivery } from './payloads.js';
import type { ServerProcess } from './server-process.js';

/** As many deliveries are under way at a time. */
const SENDERS = 16;
const TRIES_MAX = 200;
const BUSY_PAUSE_MS = 50;

export interface Acknowledged {
  readonly delivery: Delivery;
  /** What the server says became of it: empty when it is genuine, but no event. */
  readonly events: readonly { readonly status: string }[];
  readonly tries: number;
}

export interface Sending {
  readonly server: ServerProcess;
  readonly secret: string;
  /** Called at each acknowledgement, with how many there are. */
  readonly onAcknowledged?: (count: number) => void;
}

/** GitHub, if it were patient: sends each delivery, signed, until it is acknowledged. */
export const sendAll = async (deliveries: readonly Delivery[], { server, secret, onAcknowledged }: Sending): Promise<Acknowledged[]> => {
  const queue = [...deliveries];
  const acknowledged: Acknowledged[] = [];
  const sender = async (): Promise<void> => {
    for (let delivery = queue.shift(); delivery; delivery = queue.shift()) {
      acknowledged.push(await send(delivery, server, secret));
      onAcknowledged?.(acknowledged.length);
    }
  };
  await Promise.all(Array.from({ length: SENDERS }, sender));
  return acknowledged;
};

const send = async (delivery: Delivery, server: ServerProcess, secret: string): Promise<Acknowledged> => {
  const body = JSON.stringify(delivery.payload);
  const headers = {
    'content-type': 'application/json',
    'x-github-event': delivery.event,
    'x-github-delivery': delivery.id,
    'x-hub-signature-256': `sha256=${createHmac('sha256', secret).update(body).digest('hex')}`,
  };
  for (let tries = 1; tries <= TRIES_MAX; tries++) {
    await server.listening;
    try {
      const answer = await fetch(`${server.url}/v1/webhooks/github`, { method: 'POST', headers, body });
      const text = await answer.text();
      if (answer.status === 202) return { delivery, tries, events: (JSON.parse(text) as Pick<Acknowledged, 'events'>).events };
      if (answer.status !== 503 && answer.status !== 429) throw new Refused(`${delivery.id}: ${answer.status} ${text}`);
      await pause(BUSY_PAUSE_MS);
    } catch (error) {
      if (error instanceof Refused) throw error;
      // Killed before it answered: whether it has the delivery nobody knows, so it is sent again.
    }
  }
  throw new Error(`${delivery.id} was not acknowledged in ${TRIES_MAX} tries`);
};

class Refused extends Error {}
