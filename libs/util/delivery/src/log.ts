import { PerdureError, type ExternalEvent, type Input } from '@perdure/contract';
import type { Origin, SliceName } from './message.js';

/** A fact on a slice's log: an input for a shard's runs, or an external event for a slice of correlation. */
export type LogBody =
  | { readonly kind: 'input'; readonly input: Input }
  /** `at`: when it was accepted, epoch milliseconds. */
  | { readonly kind: 'event'; readonly event: ExternalEvent; readonly at: number };

/** What is appended. `origin`: the outbox row that it is, if a slice sends it (I4). */
export interface LogEntry {
  readonly origin?: Origin;
  readonly body: LogBody;
}

export interface LogRecord extends LogEntry {
  /** 0, 1, 2… */
  readonly offset: number;
  /** The log's own name for the record: no two have the same. */
  readonly id: string;
}

/** How far a slice has read, and where: kept with its cursor (I3). */
export interface LogPosition {
  /** Of the log itself: another log under the same name has another. */
  readonly identity: string;
  /** Of the next record. */
  readonly offset: number;
  /** Of the last record that was consumed; absent: none was. */
  readonly lastId?: string;
}

/** One slice's log. It orders (I2). */
export abstract class Log {
  abstract describe(): Promise<{ readonly identity: string; /** Of the next record to be appended. */ readonly end: number }>;
  /** At most `limit` durable records from `offset` on, in order. */
  abstract read(offset: number, limit: number): Promise<readonly LogRecord[]>;
  /** When it resolves they are durable, in this order (I1); when it rejects they may be. */
  abstract append(entries: readonly LogEntry[]): Promise<void>;
  /** Says that there may be more to read; a hint. Returns how to stop it. */
  abstract onAppend(listener: () => void): () => void;
}

/** A log whose beginning can be cut off. */
export abstract class TrimmableLog extends Log {
  abstract override describe(): Promise<{ readonly identity: string; /** Of the first record that is there. */ readonly begin: number; readonly end: number }>;
  /** Deletes what lies before `offset`, which the caller knows to be committed and archived, but for the record just before it: `checkLog` reads the last one consumed. */
  abstract trim(offset: number): Promise<void>;
}

/** The logs of all slices. */
export abstract class Logs {
  abstract of(slice: SliceName): Log;
}

/** The log is not the one that the slice has read: nothing may go on from it (I3). An operator must look. */
export class LogMismatch extends PerdureError {
  override readonly name = 'LogMismatch';

  constructor(slice: SliceName, why: string) {
    super('unavailable', `The log of ${slice} ${why}; the slice is stopped.`, { retryable: false });
  }
}

export const isLogMismatch = (error: unknown): error is LogMismatch => error instanceof Error && error.name === 'LogMismatch';

/** @throws LogMismatch when the log is shorter than what was consumed, or another one */
export async function checkLog(slice: SliceName, log: Log, position: LogPosition | undefined): Promise<LogPosition> {
  const { identity, end } = await log.describe();
  if (!position) return { identity, offset: 0 };
  if (position.identity !== identity) throw new LogMismatch(slice, `is ${identity}, and ${position.identity} was consumed`);
  if (end < position.offset) throw new LogMismatch(slice, `ends at ${end}, and ${position.offset} records were consumed`);
  if (position.lastId === undefined) return position;
  const [last] = await log.read(position.offset - 1, 1);
  if (last?.id !== position.lastId) throw new LogMismatch(slice, `has record ${last?.id} at ${position.offset - 1}, and ${position.lastId} was consumed`);
  return position;
}
