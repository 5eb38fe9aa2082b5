/** Named limits of a slice's owner (I9). Units last. */
export const DELIVERY_LIMITS = {
  /** Log records and messages of one batch. */
  batchWorksMax: 256,
  /** After a batch of so many works or more the next waits a little for others: where many are busy, fewer and larger batches do more. */
  gatherFromWorks: 4,
  gatherMs: 5,
  /** Messages of one envelope, records of one append. */
  envelopeMessagesMax: 256,
  /** Messages that wait for a batch; beyond it envelopes are dropped, and sent again by their source. */
  intakeMessagesMax: 10_000,
  /** Unconfirmed rows; beyond it the owner takes no new work until some are confirmed. */
  outboxRowsMax: 50_000,
  /** The first re-send comes so long after the send, and each later one after twice the time. */
  resendAfterMs: 1_000,
  resendAfterMsMax: 60_000,
  /** Confirmed rows are deleted with the next batch, or alone after this time. */
  tidyAfterMs: 1_000,
  /** The identical transaction is tried so often while the store says neither yes nor no. */
  commitTriesMax: 8,
  retryAfterMs: 50,
  retryAfterMsMax: 2_000,
  /** An owner that commits nothing makes sure so often that it still is one. */
  verifyEveryMs: 10_000,
  /** What has ended its owner so often is refused (I10)… */
  triesMax: 3,
  /** …unless one of them turns out to live within this time: it may only have been slow, and another took over. */
  deathGraceMs: 10_000,
} as const;

export type DeliveryLimits = { readonly [K in keyof typeof DELIVERY_LIMITS]: number };
