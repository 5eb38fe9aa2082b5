/**
 * What an activity tells the ledger. One `execution` is one run of an activity's code: it begins with its `attempt` and has at most one `effect` of each sort.
 * `handOut` is what the attempt's token says: the slice of the scheduler, the epoch of the owner that handed it out, and the how many-th hand-out of that epoch it was.
 */
export type LedgerRecord =
  | { readonly kind: 'attempt'; readonly execution: string; readonly key: string; readonly effectId: string; readonly attempt: number; readonly handOut: HandOut; readonly progress?: number }
  | { readonly kind: 'effect'; readonly execution: string; readonly key: string; readonly effectId: string; readonly undoes?: { readonly key: string; readonly value?: string } };

export type HandOut = readonly [slice: number, epoch: number, nth: number];

/** A line of the ledger's file. `applied`: this record is the one by which the effect happened. */
export type LedgerLine = LedgerRecord & { readonly applied?: boolean };

export type LedgerAnswer = 'new' | 'already applied';
