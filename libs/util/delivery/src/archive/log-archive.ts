import type { SliceName } from '../message.js';

/** One log: another that a slice has had under the same name has another identity, and an archive of its own. */
export interface LogName {
  readonly slice: SliceName;
  readonly identity: string;
}

/** A stretch of a log that is kept as one object, from its first record to its last. Offsets between them may be no record. */
export interface Segment {
  readonly first: number;
  readonly last: number;
}

/**
 * Where records of logs are kept that are to be trimmed.
 *
 * 1. What is put is there when it resolves, whole, and stays; a stop at any moment leaves all of it or nothing.
 * 2. Nothing is replaced: who comes second under a name changes nothing. Segments may overlap, for two owners may have cut the same records
 *    differently.
 */
export abstract class LogArchive {
  /** All that there are of the log, in no particular order. */
  abstract segments(log: LogName): Promise<readonly Segment[]>;
  /** Gives whether it was put; if not, there is one under that name. */
  abstract put(log: LogName, segment: Segment, text: string): Promise<boolean>;
  /** @throws PerdureError when it is not there, or not as it was put */
  abstract get(log: LogName, segment: Segment): Promise<string>;
}
