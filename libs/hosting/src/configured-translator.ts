import type { Clock } from '@perdure/clock';
import type { ExternalEvent } from '@perdure/contract';
import type { EventTypes, WebhookSources } from '@perdure/correlation';
import { EventTranslator, type CloudEvent, type WebhookDelivery } from '@perdure/ingestion';

/** Keys by the config's declarations. */
export class ConfiguredTranslator extends EventTranslator {
  readonly #types: EventTypes;
  readonly #sources: WebhookSources;
  readonly #clock: Clock;

  constructor(types: EventTypes, sources: WebhookSources, clock: Clock) {
    super();
    this.#types = types;
    this.#sources = sources;
    this.#clock = clock;
  }

  override fromCloudEvent(tenant: string, event: CloudEvent): ExternalEvent {
    return this.#types.toExternalEvent(tenant, event, this.#clock.now());
  }
  override fromWebhook({ source, headers, body }: WebhookDelivery): ExternalEvent | undefined {
    return this.#sources.receive(source, { headers, body, nowMs: this.#clock.now() });
  }
}
