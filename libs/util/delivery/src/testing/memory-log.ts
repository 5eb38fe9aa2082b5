import { LogMismatch, TrimmableLog, type LogEntry, type LogRecord } from '../log.js';

/** As it comes back from a store. */
export const jsonCopy = <T>(value: T): T => JSON.parse(JSON.stringify(value)) as T;

/** A log in memory. `cut` loses its tail, as a disk would that had promised too much. */
export class MemoryLog extends TrimmableLog {
  identity: string;
  /** Also those that are trimmed. */
  records: LogRecord[] = [];
  begin = 0;
  readonly #listeners = new Set<() => void>();
  #ids = 0;

  constructor(identity: string) {
    super();
    this.identity = identity;
  }

  override async describe(): Promise<{ readonly identity: string; readonly begin: number; readonly end: number }> {
    return { identity: this.identity, begin: this.begin, end: this.records.length };
  }

  override async read(offset: number, limit: number): Promise<readonly LogRecord[]> {
    if (offset < this.begin) throw new LogMismatch('history/0', `begins at ${this.begin}, and ${offset} was to be read`);
    return this.records.slice(offset, offset + limit);
  }

  override async append(entries: readonly LogEntry[]): Promise<void> {
    this.write(entries);
  }

  write(entries: readonly LogEntry[]): void {
    for (const entry of entries) this.records.push({ ...jsonCopy(entry), offset: this.records.length, id: `${this.identity}:${++this.#ids}` });
    for (const listener of this.#listeners) listener();
  }

  cut(end: number): void {
    this.records = this.records.slice(0, end);
  }

  override async trim(offset: number): Promise<void> {
    this.begin = Math.max(this.begin, offset - 1);
  }

  override onAppend(listener: () => void): () => void {
    this.#listeners.add(listener);
    return () => void this.#listeners.delete(listener);
  }
}
