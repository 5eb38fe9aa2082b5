import type { Clock } from '@perdure/clock';
import { toPerdureError } from '@perdure/contract';
import type { Bus } from './bus.js';
import type { Logs } from './log.js';
import { hasLogOfInputs, toLogBody, type Confirmation, type Envelope, type SliceName } from './message.js';
import type { Outbox } from './outbox.js';
import type { OwnerEvents } from './owner-events.js';

export interface SenderOptions {
  readonly slice: SliceName;
  readonly bus: Bus;
  readonly logs: Logs;
  readonly clock: Clock;
  readonly events?: OwnerEvents | undefined;
  readonly confirmed: (confirmation: Confirmation) => void;
  /** There is more for a log that has answered. */
  readonly again: () => void;
}

/** Sends what is due of an outbox: to slices that read a log by that, to others by the bus (I4). */
export class Sender {
  readonly #outbox: Outbox;
  readonly #options: SenderOptions;

  constructor(outbox: Outbox, options: SenderOptions) {
    this.#outbox = outbox;
    this.#options = options;
  }

  send(): void {
    const { bus, clock } = this.#options;
    for (const envelope of this.#outbox.due(clock.now())) {
      if (hasLogOfInputs(envelope.destination)) void this.#append(envelope);
      else bus.send(envelope);
    }
  }

  /** A log's ack is its receiver's confirmation. What it did not acknowledge is sent again, before anything behind it. */
  async #append(envelope: Envelope): Promise<void> {
    const { slice, logs, clock, events, confirmed, again } = this.#options;
    const { source, destination, mark, messages } = envelope;
    try {
      await logs.of(destination).append(messages.map(({ number, body }) => ({ origin: { source, number, mark }, body: toLogBody(body) })));
      confirmed({ source, destination, numbers: messages.map(({ number }) => number) });
    } catch (thrown) {
      this.#outbox.failed(envelope, clock.now());
      events?.notAppended?.(slice, toPerdureError(thrown));
    }
    if (this.#outbox.has(destination)) again();
  }
}
