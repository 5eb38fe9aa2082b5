/** Named limits of a node's membership (I9). Units last. */
export const ETCD_LIMITS = {
  /** A node that says nothing for so long is on no list any more. */
  leaseTtlMs: 5_000,
  /** It says so this often. */
  renewEveryMs: 1_500,
  /** One call to etcd. */
  callTimeoutMs: 2_000,
  /** The first list must be had within this time. */
  connectWithinMs: 10_000,
  /** After a failure: the first wait, doubling to the longest; each shortened by up to half, so that nodes do not return all at once. */
  retryAfterMs: 200,
  retryAfterMsMax: 2_000,
  /** A node whose lease was lost registers again within this time: all of them may have lost theirs. */
  registerAgainWithinMs: 500,
  /** Changes that come within this time are told as one. */
  tellAfterMs: 10,
  /** One line of a watch. */
  watchLineBytesMax: 4 * 1024 * 1024,
} as const;

export type EtcdLimits = { readonly [K in keyof typeof ETCD_LIMITS]: number };
