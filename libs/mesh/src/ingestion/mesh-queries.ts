import type { Json } from '@perdure/contract';
import type { SliceMap } from '@perdure/delivery';
import { Queries, type RunRef } from '@perdure/ingestion';
import type { SliceAsks } from '../ask/slice-asks.js';

/** Asks the shard's owner, on committed state (design §16). */
export class MeshQueries extends Queries {
  readonly #asks: SliceAsks;
  readonly #map: Pick<SliceMap, 'shardOf'>;

  constructor(asks: SliceAsks, map: Pick<SliceMap, 'shardOf'>) {
    super();
    this.#asks = asks;
    this.#map = map;
  }

  override query(ref: RunRef, query: { readonly name: string; readonly input?: Json }): Promise<{ readonly value?: Json }> {
    return this.#asks.ask(this.#map.shardOf(ref.tenant, ref.workflowId), { operation: 'query', body: { ref, query } });
  }
}
