import { LIMITS, PerdureError, type ExternalEvent } from '@perdure/contract';
import { assertId, assertName } from './ids.js';
import type { CloudEvent, EventLog, EventReceipt, EventTranslator, WebhookDelivery } from './ports.js';

export interface Published {
  readonly source: string;
  readonly id: string;
  readonly status: EventReceipt;
}

/** External events, by CloudEvents or by signed webhook. Acknowledged when durable. */
export class Events {
  readonly #log: EventLog;
  readonly #translator: EventTranslator;

  constructor(log: EventLog, translator: EventTranslator) {
    this.#log = log;
    this.#translator = translator;
  }

  async publish(tenant: string, events: readonly CloudEvent[]): Promise<readonly Published[]> {
    if (events.length > LIMITS.batchEventsMax) throw new PerdureError('limit-exceeded', `A batch holds at most ${LIMITS.batchEventsMax} events, not ${events.length}.`);
    return this.#append(events.map((event) => this.#translator.fromCloudEvent(tenant, event)));
  }

  /** `undefined`: the delivery was genuine but is no event. */
  async receive(delivery: WebhookDelivery): Promise<Published | undefined> {
    const event = this.#translator.fromWebhook(delivery);
    return event && (await this.#append([event]))[0];
  }

  async #append(events: readonly ExternalEvent[]): Promise<readonly Published[]> {
    for (const { id, source, type } of events) {
      assertId('id', id);
      assertId('source', source);
      assertName('type', type);
    }
    if (events.length === 0) return [];
    const receipts = await this.#log.append(events);
    return events.map(({ source, id }, index) => ({ source, id, status: receipts[index]! }));
  }
}
