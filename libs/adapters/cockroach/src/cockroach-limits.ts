/** Named limits of the store's connections (I9). Units last. */
export const COCKROACH_LIMITS = {
  connectionsMax: 16,
  /** How long a free connection is waited for, and a new one may take. */
  connectTimeoutMs: 5_000,
  /** The server gives a statement up after this time… */
  statementTimeoutMs: 10_000,
  /** …and an answer that has not come by then never will: the connection is cut. */
  answerTimeoutMs: 15_000,
  /** A connection that is used by nobody is closed. */
  idleTimeoutMs: 60_000,
  keepAliveMs: 10_000,
  /** A transaction that others were in the way of is tried anew so often, by the store itself. */
  conflictRetriesMax: 12,
  conflictRetryMs: 4,
  conflictRetryMsMax: 250,
  /** Parameters of one statement, in characters; more rows go by a further one. CockroachDB reads messages of 16 MiB at most; a character of a string has up to three bytes. */
  statementCharsMax: 4 * 1024 * 1024,
  /** Of one transaction. A batch beyond it is refused, and then tried work by work. */
  transactionCharsMax: 48 * 1024 * 1024,
  /** What has ended is deleted with every so many commits of a slice. */
  sweepEveryCommits: 64,
  /** Two processes that define the same table at once disturb each other. */
  definitionTriesMax: 20,
} as const;

export type CockroachLimits = { readonly [K in keyof typeof COCKROACH_LIMITS]: number };
