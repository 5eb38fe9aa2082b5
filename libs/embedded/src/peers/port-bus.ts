import type { MessagePort } from 'node:worker_threads';
import { Bus, type Confirmation, type Envelope, type SliceName } from '@perdure/delivery';

type Mail = { readonly envelope: Envelope } | { readonly confirmation: Confirmation };

/** Between the shards' threads of one process: a port to each other shard, by its number. */
export class PortBus extends Bus {
  readonly #ports: ReadonlyMap<number, MessagePort>;

  constructor(ports: ReadonlyMap<number, MessagePort>) {
    super();
    this.#ports = ports;
  }

  override send(envelope: Envelope): void {
    this.#post(envelope.destination, { envelope });
  }
  override confirm(confirmation: Confirmation): void {
    this.#post(confirmation.source, { confirmation });
  }

  /** From now on gives what arrives; what came before has waited in its port. */
  listen({ envelope: onEnvelope, confirmation: onConfirmation }: { readonly envelope: (envelope: Envelope) => void; readonly confirmation: (confirmation: Confirmation) => void }): void {
    for (const port of this.#ports.values()) {
      port.on('message', (mail: Mail) => ('envelope' in mail ? onEnvelope(mail.envelope) : onConfirmation(mail.confirmation)));
    }
  }

  close(): void {
    for (const port of this.#ports.values()) port.close();
  }

  #post(slice: SliceName, mail: Mail): void {
    this.#ports.get(Number(slice.slice(slice.indexOf('/') + 1)))?.postMessage(mail);
  }
}
