export interface WorkerSettings {
  readonly url: string;
  readonly tenant: string;
  readonly ledger: string;
  /** The same over restarts: a new process takes the place of the one before it. */
  readonly identity: string;
  readonly queues: readonly string[];
  readonly slots: number;
  readonly surgical?: boolean;
}
