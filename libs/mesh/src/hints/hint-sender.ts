import type { InputOutcome } from '@perdure/contract';
import type { Membership } from '@perdure/delivery';
import { MESH_LIMITS } from '../mesh-limits.js';
import type { NodeCalls } from '../node/node-calls.js';
import type { Hints, JoinedRequest } from './hints.js';

/** Hints of each kind, oldest first. */
class Batch {
  decided: { readonly key: string; readonly outcome: InputOutcome }[] = [];
  closed: string[] = [];
  joined: JoinedRequest[] = [];

  get isEmpty(): boolean {
    return this.decided.length + this.closed.length + this.joined.length === 0;
  }

  add({ decided, closed, joined }: Batch): void {
    this.decided.push(...decided);
    this.closed.push(...closed);
    this.joined.push(...joined);
    const { hintsQueuedMax } = MESH_LIMITS;
    if (this.decided.length > hintsQueuedMax) this.decided = this.decided.slice(-hintsQueuedMax);
    if (this.closed.length > hintsQueuedMax) this.closed = this.closed.slice(-hintsQueuedMax);
    if (this.joined.length > hintsQueuedMax) this.joined = this.joined.slice(-hintsQueuedMax);
  }
}

interface Queue {
  waiting: Batch;
  isSending: boolean;
}

/** Tells every instance of ingestion what commits have brought, in batches: one call at a time to each. */
export class HintSender {
  readonly #membership: Membership;
  readonly #calls: Pick<NodeCalls, 'post'>;
  readonly #queues = new Map<string, Queue>();
  #pending = new Batch();
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

  joined(request: JoinedRequest): void {
    this.#pending.joined.push(request);
    this.#schedule();
  }

  /** All that one commit brings goes in one call. */
  #schedule(): void {
    if (this.#isScheduled) return;
    this.#isScheduled = true;
    setImmediate(() => {
      this.#isScheduled = false;
      const hints = this.#pending;
      this.#pending = new Batch();
      const addresses = new Set(this.#membership.nodes('ingestion').map(({ address }) => address));
      for (const known of this.#queues.keys()) if (!addresses.has(known)) this.#queues.delete(known);
      for (const address of addresses) this.#put(address, hints);
    });
  }

  #put(address: string, hints: Batch): void {
    const queue = this.#queues.get(address) ?? { waiting: new Batch(), isSending: false };
    this.#queues.set(address, queue);
    queue.waiting.add(hints);
    if (!queue.isSending) void this.#send(address, queue);
  }

  async #send(address: string, queue: Queue): Promise<void> {
    queue.isSending = true;
    while (!queue.waiting.isEmpty) {
      const { decided, closed, joined } = queue.waiting;
      const body: Hints = { decided, closed, ...(joined.length > 0 ? { joined } : {}) };
      queue.waiting = new Batch();
      try {
        await this.#calls.post(address, 'internal/hints', { body, timeoutMs: MESH_LIMITS.forwardTimeoutMs });
      } catch {
        // A hint is lost: who waits looks by itself (`lookAgainAfterMs`).
      }
    }
    queue.isSending = false;
  }
}
