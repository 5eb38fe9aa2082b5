import { straceArgs } from '../sync-count.js';
import type { SystemName } from '../dialects.js';

/** A durable-execution server with the process that runs its steps, on loopback ports of their own. */
export interface System {
  readonly name: SystemName;
  /** What the table calls it. */
  readonly title: string;
  readonly options: SystemOptions;
  readonly url: string;
  /** By role, for what they cost. */
  pids(): Readonly<Record<string, number>>;
  start(): Promise<void>;
  /** SIGKILL for what is the system's own: a server, with a mesh all of its servers, with a library the program that uses it. Then the same over the same data. */
  killServer(): Promise<void>;
  startServer(): Promise<void>;
  stop(): Promise<void>;
}

export interface SystemOptions {
  /** Where it keeps its files; made anew for each start of the harness. */
  readonly folder: string;
  /** Where the server's syncs are recorded; not recorded without it. */
  readonly trace?: string;
}

/** What to spawn for a server, watched or not. */
export const commandOf = (program: string, args: readonly string[], trace?: string): [string, string[]] => (trace === undefined ? [program, [...args]] : ['strace', [...straceArgs(trace), program, ...args]]);
