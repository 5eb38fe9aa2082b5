import type { Clock } from '@perdure/clock';
import { isPerdureError, LIMITS, toPerdureError, type AnswerReceipt } from '@perdure/contract';
import { terminalAnswer } from './attempt.js';
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

/** An answer that went with a poll and has no receipt after so long is sent again: its batch was taken back. */
const CARRIED_LOST_MS = 1_000;

/**
 * Answers on their way: with the next poll while none is open, else by a request of their own. One such request at a time; what comes
 * meanwhile goes with the next, so that batches grow with the load.
 *
 * 1. An answer stays here until it is acknowledged.
 * 2. It is in one place: pending, in the request that is open, or carried by a poll.
 */
export class AnswerOutbox {
  readonly #options: AnswerOutboxOptions;
  readonly #backoff: Backoff;
  #pending: Pending[] = [];
  readonly #carried = new Map<string, { readonly answer: Pending; readonly sinceMs: number }>();
  /** A poll is about to go and takes along what is there. */
  #awaitsPoll = false;
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
    this.#sendSoon();
  }

  /** A poll follows soon: answers wait for it. */
  awaitPoll(): void {
    this.#awaitsPoll = true;
  }

  /** What goes with the poll that is sent now. It must come to `received` or `returned`. */
  carry(): readonly { readonly token: string; readonly json: string }[] {
    const now = this.#options.clock.now();
    for (const [token, { answer, sinceMs }] of this.#carried) {
      if (sinceMs + CARRIED_LOST_MS > now) break;
      this.#carried.delete(token);
      this.#pending.unshift(answer);
    }
    const batch = this.#takeBatch();
    for (const answer of batch) this.#carried.set(answer.token, { answer, sinceMs: now });
    this.#awaitsPoll = false;
    this.#sendSoon();
    return batch;
  }

  received(receipts: readonly AnswerReceipt[]): void {
    for (const receipt of receipts) {
      if (this.#carried.delete(receipt.token)) this.#options.onReceipt(receipt);
    }
    this.#tellIdle();
  }

  /** Nobody waits for it. */
  drop(token: string): void {
    if (this.#carried.delete(token)) this.#tellIdle();
  }

  /** The poll had no answer, or there will be none any more: what has no receipt is sent again. */
  returned(): void {
    this.#pending.unshift(...[...this.#carried.values()].map(({ answer }) => answer));
    this.#carried.clear();
    this.#awaitsPoll = false;
    this.#sendSoon();
  }

  /** When everything is acknowledged. */
  whenEmpty(): Promise<void> {
    return this.#isEmpty ? Promise.resolve() : new Promise((resolve) => this.#idle.push(resolve));
  }

  /** Sends no more: the worker ends, and what is not acknowledged goes to another. */
  close(): void {
    this.#closed.abort();
  }

  get #isEmpty(): boolean {
    return this.#pending.length === 0 && this.#carried.size === 0 && !this.#sending;
  }

  #tellIdle(): void {
    if (this.#isEmpty) for (const resolve of this.#idle.splice(0)) resolve();
  }

  #sendSoon(): void {
    if (this.#sending || this.#awaitsPoll || this.#pending.length === 0) return;
    this.#sending = true;
    // Attempts that end in the same turn share a request.
    setImmediate(() => void this.#send());
  }

  async #send(): Promise<void> {
    while (this.#pending.length > 0 && !this.#awaitsPoll && !this.#closed.signal.aborted) {
      const batch = this.#takeBatch();
      try {
        const receipts = await this.#options.transport.answer(batch.map(({ json }) => json));
        this.#backoff.succeeded();
        this.#batchMax = LIMITS.pollSlotsMax;
        for (const receipt of receipts) this.#options.onReceipt(receipt);
      } catch (thrown) {
        this.#pending.unshift(...batch);
        if (!this.#mend(batch, thrown)) await this.#backoff.pause(this.#closed.signal);
      }
    }
    this.#sending = false;
    this.#tellIdle();
    if (this.#closed.signal.aborted) for (const resolve of this.#idle.splice(0)) resolve();
  }

  #takeBatch(): Pending[] {
    let count = 0;
    let chars = 0;
    while (count < Math.min(this.#pending.length, this.#batchMax)) {
      chars += this.#pending[count]!.json.length;
      if (count > 0 && chars > BATCH_CHARS_MAX) break;
      count++;
    }
    return this.#pending.splice(0, count);
  }

  /** What the server will never take must not hold up the others: find it, tell its failure in its place, and at last let it go. */
  #mend(batch: readonly Pending[], thrown: unknown): boolean {
    const error = toPerdureError(thrown);
    const final = isPerdureError(thrown) && !thrown.retryable && thrown.code !== 'unauthenticated' && thrown.code !== 'forbidden' && thrown.code !== 'unknown-route';
    if (!final) {
      this.#options.log(`answers could not be sent, trying again: ${error.message}`);
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
