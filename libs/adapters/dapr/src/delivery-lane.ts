import type { CancelTimer } from '@perdure/clock';
import { toPerdureError, type PerdureError } from '@perdure/contract';
import type { DaprLimits } from './dapr-limits.js';
import type { Mail } from './mail.js';

export interface DeliveryLaneOptions {
  readonly limits: Pick<DaprLimits, 'deliveryCallsMax' | 'deliveryCallBytesMax' | 'deliveryCallMailsMax' | 'waitingBytesMax' | 'waitingMailsMax'>;
  /** Runs something after what is said in this turn: `setImmediate`. */
  readonly defer: (run: () => void) => void;
  /** Runs something after `confirmAfterMs`. */
  readonly later: (run: () => void) => CancelTimer;
  readonly send: (mails: readonly Mail[]) => Promise<void>;
  readonly failed: (mails: readonly Mail[], error: PerdureError) => void;
  readonly dropped: (mail: Mail) => void;
}

/**
 * One way to one service. What comes in one turn leaves in one call; what comes while all calls are under way leaves together when the
 * first of them is back. A confirmation is in no hurry: it leaves with the next envelope, or with other confirmations after a while. Never
 * throws, never holds more than its limits (I9).
 */
export class DeliveryLane {
  readonly #options: DeliveryLaneOptions;
  #waiting: Mail[] = [];
  #waitingBytes = 0;
  readonly #calls = new Set<Promise<void>>();
  #isDeferred = false;
  #alarm: CancelTimer | undefined;

  constructor(options: DeliveryLaneOptions) {
    this.#options = options;
  }

  add(mail: Mail): void {
    const { waitingBytesMax, waitingMailsMax } = this.#options.limits;
    if (this.#waiting.length >= waitingMailsMax || (this.#waiting.length > 0 && this.#waitingBytes + mail.bytes > waitingBytesMax)) return this.#options.dropped(mail);
    this.#waiting.push(mail);
    this.#waitingBytes += mail.bytes;
    if (this.#isDeferred) return;
    if (mail.kind === 'confirmation') {
      this.#alarm ??= this.#options.later(() => this.#leave());
      return;
    }
    this.#isDeferred = true;
    this.#options.defer(() => {
      this.#isDeferred = false;
      this.#leave();
    });
  }

  /** All that was added is sent, or has failed. */
  async idle(): Promise<void> {
    this.#leave();
    while (this.#calls.size > 0) await Promise.all(this.#calls);
  }

  #leave(): void {
    this.#alarm?.();
    this.#alarm = undefined;
    while (this.#waiting.length > 0 && this.#calls.size < this.#options.limits.deliveryCallsMax) {
      const call = this.#call(this.#take()).finally(() => {
        this.#calls.delete(call);
        this.#leave();
      });
      this.#calls.add(call);
    }
  }

  async #call(mails: readonly Mail[]): Promise<void> {
    try {
      await this.#options.send(mails);
    } catch (thrown) {
      this.#options.failed(mails, toPerdureError(thrown));
    }
  }

  #take(): Mail[] {
    const { deliveryCallBytesMax, deliveryCallMailsMax } = this.#options.limits;
    let bytes = 0;
    let count = 0;
    while (count < this.#waiting.length && count < deliveryCallMailsMax && (count === 0 || bytes + this.#waiting[count]!.bytes <= deliveryCallBytesMax)) bytes += this.#waiting[count++]!.bytes;
    this.#waitingBytes -= bytes;
    return this.#waiting.splice(0, count);
  }
}
