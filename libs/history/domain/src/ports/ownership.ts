/** Who may commit the shard (I3). */
export abstract class Ownership {
  /** The epoch under which this node owns the shard. */
  abstract epoch(): number;
}

/** One process that has the data folder to itself: the folder's lock is the fence. */
export class SoleOwner extends Ownership {
  override epoch(): number {
    return 1;
  }
}
