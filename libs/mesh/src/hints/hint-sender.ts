import type { InputOutcome } from '@perdure/contract';
import type { Membership } from '@perdure/delivery';
import { MESH_LIMITS } from '../mesh-limits.js';
import type { NodeCalls } from '../node/node-calls.js';
import type { Hints } from './hints.js';

interface Queue {
  decided: { readonly key: string; readonly outcome: InputOutcome }[];
  closed: string[];
  isSending: boolean;
}

/** Tells every instance of ingestion what commits have brought, in batches: one call at a time to each. */
export class HintSender {
  readonly #membership: Membership;
  readonly #calls: Pick<NodeCalls, 'post'>;
  readonly #queues = new Map<string, Queue>();
  #pending: { decided: { readonly key: string; readonly outcome: InputOutcome }[]; closed: string[] } = { decided: [], closed: [] };
  #isScheduled = false;

  constructor(membership: Membership, calls: Pick<NodeCalls, 'post'>) {
    this.#membership = membership;
    this.#calls = calls;
  }

  decided(key: string, outcome: InputOutcome): void {
    this.#pending.decided.push({ key, outcome });
    this.#schedule();
  }

  closed(run: string): void {
    this.#pending.closed.push(run);
    this.#schedule();
  }

  /** All that one commit brings goes in one call. */
  #schedule(): void {
    if (this.#isScheduled) return;
    this.#isScheduled = true;
    setImmediate(() => {
      this.#isScheduled = false;
      const hints = this.#pending;
      this.#pending = { decided: [], closed: [] };
      const addresses = new Set(this.#membership.nodes('ingestion').map(({ address }) => address));
      for (const known of this.#queues.keys()) if (!addresses.has(known)) this.#queues.delete(known);
      for (const address of addresses) this.#put(address, hints);
    });
  }

  #put(address: string, { decided, closed }: Hints): void {
    const queue = this.#queues.get(address) ?? { decided: [], closed: [], isSending: false };
    this.#queues.set(address, queue);
    queue.decided.push(...decided);
    queue.closed.push(...closed);
    const { hintsQueuedMax } = MESH_LIMITS;
    if (queue.decided.length > hintsQueuedMax) queue.decided = queue.decided.slice(-hintsQueuedMax);
    if (queue.closed.length > hintsQueuedMax) queue.closed = queue.closed.slice(-hintsQueuedMax);
    if (!queue.isSending) void this.#send(address, queue);
  }

  async #send(address: string, queue: Queue): Promise<void> {
    queue.isSending = true;
    while (queue.decided.length > 0 || queue.closed.length > 0) {
      const body: Hints = { decided: queue.decided, closed: queue.closed };
      queue.decided = [];
      queue.closed = [];
      try {
        await this.#calls.post(address, 'internal/hints', { body, timeoutMs: MESH_LIMITS.forwardTimeoutMs });
      } catch {
        // A hint is lost: who waits looks by itself (`lookAgainAfterMs`).
      }
    }
    queue.isSending = false;
  }
}
