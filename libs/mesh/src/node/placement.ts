import { placeSlices, serviceOf, type Membership, type MeshNode, type Service, type SliceName } from '@perdure/delivery';

export interface PlacementOptions {
  /** Of every service. */
  readonly slices: readonly SliceName[];
  readonly membership: Pick<Membership, 'nodes' | 'onChange'>;
}

/** Which node should own a slice, by the list of nodes as it is now. A hint: who does own it, the epoch decides. */
export class Placement {
  readonly #options: PlacementOptions;
  readonly #placed = new Map<Service, ReadonlyMap<SliceName, MeshNode>>();

  constructor(options: PlacementOptions) {
    this.#options = options;
    options.membership.onChange(() => this.#placed.clear());
  }

  nodeOf(slice: SliceName): MeshNode | undefined {
    const service = serviceOf(slice);
    let placed = this.#placed.get(service);
    if (!placed) {
      const { slices, membership } = this.#options;
      placed = placeSlices(slices.filter((each) => serviceOf(each) === service), membership.nodes(service));
      this.#placed.set(service, placed);
    }
    return placed.get(slice);
  }
}
