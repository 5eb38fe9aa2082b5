import type { ServersConfig } from '../config.js';
import type { Progress } from '../progress.js';

/** A program that is had: where it is, and where it came from. */
export interface Program {
  readonly name: string;
  readonly version: string;
  /** The executable; PostgreSQL's is the folder of its executables, Kafka's the folder of its jars. */
  readonly path: string;
  readonly from: 'machine' | 'cache';
}

/** A program of the machine that might do. */
export interface Candidate {
  readonly path: string;
  /** What it says of its version. */
  version(): Promise<string>;
}

/** How one program is had. */
export interface ProgramRecipe {
  readonly name: string;
  readonly versionMin: readonly number[];
  /** Where the machine may have it, best first. */
  candidates(config: ServersConfig): readonly Candidate[];
  /** Fetches or builds it into the cache, unless it is there, and gives its path. */
  readonly fetched: { readonly version: string; fetch(surroundings: Surroundings): Promise<string> };
}

export interface Surroundings {
  readonly config: ServersConfig;
  readonly progress: Progress;
}
