/** Each stands at one place in the code; the invariant that falls without it is named beside it. */
export const GUARD_NAMES = [
  /** I1: an input that comes again under its id changes nothing. */
  'inputDedupe',
  /** I3: a commit names the cursor that it moves. */
  'cursorCompareAndSet',
  /** I3: a commit names the epoch of its owner. */
  'epochCheck',
  /** I4: what the receiver has not confirmed is sent again. */
  'outboxResend',
  /** I4: a log has what one slice tells it in the order in which it was said. */
  'orderOfAppends',
  /** I4: a message that was taken is dropped when it comes again. */
  'receiverMarks',
  /** I8: an activity is closed by the newest attempt handed out. */
  'closingByToken',
  /** I8: what a heartbeat reports is kept while its attempt is the newest handed out. */
  'progressByToken',
  /** I3: after a batch that failed, what it touched is evicted. */
  'takeBack',
  /** Design §12: an offer that the run cannot use goes back. */
  'returnOfOffers',
  /** I5: each input has an activation of its own. */
  'oneInputOneActivation',
  /** I1: a commit is on the disk before anyone is told. */
  'fsync',
  /** I1: a log is trimmed behind what its archive has, and gives back. */
  'trimBehindArchive',
  /** I7: a snapshot is used only if its tag holds. */
  'snapshotAuthentication',
] as const;

export type GuardName = (typeof GUARD_NAMES)[number];

/** Which guards stand: in production all of them. */
export class Guards {
  readonly #removed: GuardName | undefined;

  constructor(removed?: GuardName) {
    this.#removed = removed;
  }

  has(name: GuardName): boolean {
    return this.#removed !== name;
  }
}
