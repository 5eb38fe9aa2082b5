/** A run is named by these three; every key, row, message, metric and log line carries them. */
export interface RunKey {
  readonly tenant: string;
  readonly workflowId: string;
  readonly runId: string;
}

/**
 * - `running`: its code may still act (also while it waits or is parked)
 * - `suspended`: its inputs are recorded but its code does not act until an operator resumes it
 * - the others are final
 */
export const RUN_STATUSES = ['running', 'suspended', 'completed', 'failed', 'cancelled', 'terminated', 'continued'] as const;
export type RunStatus = (typeof RUN_STATUSES)[number];

export const isClosed = (status: RunStatus): boolean => status !== 'running' && status !== 'suspended';

/** What a run's code is fixed to (I6). */
export interface Pin {
  /** SHA-256 (hex) of the bundle's code. */
  readonly bundle: string;
  /** The engine ABI that made the history: which events, in which order, follow from which commands. */
  readonly abi: number;
  /** Identity of the WebAssembly module and its host binding. */
  readonly sandbox: string;
}

/** The engine ABI of this release. Raise it when the same commands would lead to other events; golden histories of each are in `testdata`. */
export const ENGINE_ABI = 1;

/** One string for a run, safe as a map key: ids hold no control characters, so the separator cannot occur in them. */
export const runKeyOf = ({ tenant, workflowId, runId }: RunKey): string => `${tenant}\u0000${workflowId}\u0000${runId}`;
