/** Who may commit the shard (I3). */
export abstract class Ownership {
  /** The epoch under which this node owns the shard. */
  abstract epoch(): number;
}

/** One process that has the data folder to itself: the folder's lock is the fence. */
export class SoleOwner extends Ownership {
  readonly #epoch: number;

  constructor(epoch: number) {
    super();
    this.#epoch = epoch;
  }

  override epoch(): number {
    return this.#epoch;
  }
}
