import type { SystemName } from '../dialects.js';

/** A durable-execution server with the process that runs its steps, on loopback ports of their own. */
export interface System {
  readonly name: SystemName;
  /** What the table calls it. */
  readonly title: string;
  readonly url: string;
  /** By role, for what they cost. */
  pids(): Readonly<Record<string, number>>;
  start(): Promise<void>;
  /** SIGKILL for the server alone, then the same server over the same files. */
  killServer(): Promise<void>;
  startServer(): Promise<void>;
  stop(): Promise<void>;
}

export interface SystemOptions {
  /** Where it keeps its files; made anew for each run of the harness. */
  readonly folder: string;
  readonly log: (text: string) => void;
}
