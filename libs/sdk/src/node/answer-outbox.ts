import type { Clock } from '@perdure/clock';
import { isPerdureError, LIMITS, toPerdureError, type AnswerReceipt } from '@perdure/contract';
import { terminalAnswer } from './answer-json.js';
import { Backoff } from './backoff.js';
import type { WorkerTransport } from './worker-transport.js';

/** A batch of more than one answer stays under this, in UTF-16 units. */
const BATCH_CHARS_MAX = LIMITS.payloadBytesMax / 4;

interface Pending {
  readonly token: string;
  json: string;
  /** It was replaced by a failure because the server would not take it. */
  replaced?: boolean;
}

export interface AnswerOutboxOptions {
  readonly transport: WorkerTransport;
  readonly clock: Clock;
  readonly random: () => number;
  readonly onReceipt: (receipt: AnswerReceipt) => void;
  readonly log: (text: string) => void;
}

/**
 * Answers on their way. One request at a time; what comes meanwhile goes with the next, so that batches grow with the load.
 * An answer stays here until it is acknowledged.
 */
export class AnswerOutbox {
  readonly #options: AnswerOutboxOptions;
  readonly #backoff: Backoff;
  #pending: Pending[] = [];
  #sending = false;
  #batchMax = LIMITS.pollSlotsMax as number;
  #idle: (() => void)[] = [];
  readonly #closed = new AbortController();

  constructor(options: AnswerOutboxOptions) {
    this.#options = options;
    this.#backoff = new Backoff(options.clock, options.random);
  }

  add(token: string, json: string): void {
    this.#pending.push({ token, json });
    if (this.#sending) return;
    this.#sending = true;
    // Attempts that end in the same turn share a request.
    setImmediate(() => void this.#send());
  }

  /** When everything is acknowledged. */
  whenEmpty(): Promise<void> {
    return this.#pending.length === 0 ? Promise.resolve() : new Promise((resolve) => this.#idle.push(resolve));
  }

  /** Sends no more: the worker ends, and what is not acknowledged goes to another. */
  close(): void {
    this.#closed.abort();
  }

  async #send(): Promise<void> {
    while (this.#pending.length > 0 && !this.#closed.signal.aborted) {
      const batch = this.#nextBatch();
      try {
        const receipts = await this.#options.transport.answer(batch.map(({ json }) => json));
        this.#backoff.succeeded();
        this.#batchMax = LIMITS.pollSlotsMax;
        this.#pending.splice(0, batch.length);
        for (const receipt of receipts) this.#options.onReceipt(receipt);
      } catch (thrown) {
        if (!this.#mend(batch, thrown)) await this.#backoff.pause(this.#closed.signal);
      }
    }
    this.#sending = false;
    for (const resolve of this.#idle.splice(0)) resolve();
  }

  #nextBatch(): Pending[] {
    let count = 0;
    let chars = 0;
    while (count < Math.min(this.#pending.length, this.#batchMax)) {
      chars += this.#pending[count]!.json.length;
      if (count > 0 && chars > BATCH_CHARS_MAX) break;
      count++;
    }
    return this.#pending.slice(0, count);
  }

  /** What the server will never take must not hold up the others: find it, tell its failure in its place, and at last let it go. */
  #mend(batch: readonly Pending[], thrown: unknown): boolean {
    const error = toPerdureError(thrown);
    const final = isPerdureError(thrown) && !thrown.retryable && thrown.code !== 'unauthenticated' && thrown.code !== 'forbidden' && thrown.code !== 'unknown-route';
    if (!final) {
      if (this.#backoff.isNews) this.#options.log(`answers could not be sent, trying again: ${error.message}`);
      return false;
    }
    const first = batch[0]!;
    if (batch.length > 1) {
      this.#batchMax = 1;
    } else if (!first.replaced) {
      first.replaced = true;
      first.json = terminalAnswer(first.token, { type: 'TerminalError', code: error.code, message: `The server does not take the activity's answer: ${error.message}`.slice(0, 10_000) });
    } else {
      this.#options.log(`an answer is given up, the server does not take it: ${error.message}`);
      this.#pending.shift();
      this.#options.onReceipt({ token: first.token, status: 'superseded' });
    }
    return true;
  }
}
