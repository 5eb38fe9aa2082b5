import { Bus, serviceOf, type Confirmation, type Envelope, type Service } from '@perdure/delivery';
import type { Deliveries } from './bus-suite.js';

/** A bus within one process, which loses what its receiver does not take. */
export class MemoryBus extends Bus {
  readonly #deliver: (service: Service, deliveries: Deliveries) => Promise<void>;

  constructor(deliver: (service: Service, deliveries: Deliveries) => Promise<void>) {
    super();
    this.#deliver = deliver;
  }

  override send({ source, destination, mark, messages }: Envelope): void {
    this.#soon(serviceOf(destination), { envelopes: [{ source, destination, mark, messages }], confirmations: [] });
  }

  override confirm(confirmation: Confirmation): void {
    this.#soon(serviceOf(confirmation.source), { envelopes: [], confirmations: [confirmation] });
  }

  #soon(service: Service, deliveries: Deliveries): void {
    queueMicrotask(() => void this.#deliver(service, deliveries).catch(() => undefined));
  }
}
