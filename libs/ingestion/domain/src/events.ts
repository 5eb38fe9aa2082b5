import { isTraceparent, LIMITS, PerdureError, type ExternalEvent } from '@perdure/contract';
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

  /** `trace`: the request's traceparent. An event that carries its own (the CloudEvents extension for it) keeps that. */
  async publish(tenant: string, events: readonly CloudEvent[], trace?: string): Promise<readonly Published[]> {
    if (events.length > LIMITS.batchEventsMax) throw new PerdureError('limit-exceeded', `A batch holds at most ${LIMITS.batchEventsMax} events, not ${events.length}.`);
    return this.#append(events.map((event) => traced(this.#translator.fromCloudEvent(tenant, event), sentBy(event) ?? trace)));
  }

  /** `undefined`: the delivery was genuine but is no event. */
  async receive(delivery: WebhookDelivery, trace?: string): Promise<Published | undefined> {
    const event = this.#translator.fromWebhook(delivery);
    return event && (await this.#append([traced(event, trace)]))[0];
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

const traced = (event: ExternalEvent, trace: string | undefined): ExternalEvent => (trace === undefined ? event : { ...event, trace });

const sentBy = ({ traceparent }: CloudEvent): string | undefined => (typeof traceparent === 'string' && isTraceparent(traceparent) ? traceparent : undefined);
