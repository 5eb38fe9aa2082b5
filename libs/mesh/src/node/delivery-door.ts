import { PerdureError } from '@perdure/contract';
import type { DeliveryBatch } from '@perdure/dapr';
import type { Confirmation, Envelope, SliceName } from '@perdure/delivery';
import { MESH_LIMITS } from '../mesh-limits.js';
import type { NodeCalls } from './node-calls.js';

/** A slice's owner, as messages reach it. */
export interface Addressee {
  receive(envelope: Envelope): void;
  confirm(confirmation: Confirmation): void;
}

export interface DeliveryDoorOptions {
  readonly selfId: string;
  readonly host: {
    owner(slice: SliceName): Addressee | undefined;
    nodeOf(slice: SliceName): { readonly id: string; readonly address: string } | undefined;
  };
  readonly calls: Pick<NodeCalls, 'post'>;
}

/** Where messages of other slices arrive: what is for a slice of this node goes to its owner, the rest to the node that should have it. */
export class DeliveryDoor {
  readonly #options: DeliveryDoorOptions;

  constructor(options: DeliveryDoorOptions) {
    this.#options = options;
  }

  /** `isForwarded`: another node was asked already. @throws PerdureError `not-owner` when something could not be handed on; all else was */
  async deliver({ envelopes, confirmations }: DeliveryBatch, { isForwarded }: { readonly isForwarded: boolean }): Promise<void> {
    const elsewhere = new Map<string, { envelopes: Envelope[]; confirmations: Confirmation[] }>();
    const homeless = new Set<SliceName>();
    const batchFor = (slice: SliceName): { envelopes: Envelope[]; confirmations: Confirmation[] } | undefined => {
      const node = this.#options.host.nodeOf(slice);
      if (isForwarded || !node || node.id === this.#options.selfId) return void homeless.add(slice);
      const batch = elsewhere.get(node.address) ?? { envelopes: [], confirmations: [] };
      elsewhere.set(node.address, batch);
      return batch;
    };
    for (const envelope of envelopes) {
      const owner = this.#options.host.owner(envelope.destination);
      if (owner) owner.receive(envelope);
      else batchFor(envelope.destination)?.envelopes.push(envelope);
    }
    for (const confirmation of confirmations) {
      const owner = this.#options.host.owner(confirmation.source);
      if (owner) owner.confirm(confirmation);
      else batchFor(confirmation.source)?.confirmations.push(confirmation);
    }
    await Promise.all([...elsewhere].map(([address, body]) => this.#options.calls.post(address, 'internal/deliveries', { body, timeoutMs: MESH_LIMITS.forwardTimeoutMs })));
    if (homeless.size > 0) throw new PerdureError('not-owner', `Nobody here has ${[...homeless].join(', ')} now.`, { retryable: true });
  }
}
