/** What a process is in a deployment: `server` for Perdure's own, `sidecar` for what speaks for it, `store` for the servers beneath. */
export type Role = 'server' | 'sidecar' | 'store' | 'worker' | 'ledger';

/** A process that an attack may kill, hold and start again at any moment. */
export interface Disturbable {
  readonly options: {
    readonly name: string;
    readonly role: Role;
    /** Not to be disturbed, but for what it does to itself. */
    readonly sheltered?: boolean;
  };
  readonly pid: number | undefined;
  /** What it did that it should not, each one sentence. */
  readonly faults: readonly string[];
  /** How often it was started. */
  readonly starts: number;
  /** Resolves when it is ready. */
  start(): Promise<void>;
  /** Resolves when it has ended. */
  kill(): Promise<void>;
  /** Asks it to end, as an operator does. */
  stop(): Promise<void>;
  /** Begins to start and is killed before it is ready, or soon after. */
  stumble(afterMs: number): Promise<void>;
  /** It stands still, with all its connections. */
  hold(): void;
  resume(): void;
}
