import { setTimeout as after } from 'node:timers/promises';
import { expect } from '@jest/globals';
import { isPerdureError } from '@perdure/contract';
import type { Log, LogEntry, LogRecord } from '@perdure/delivery';
import { entryOf, idOf } from './log-suite.js';

/** As whoever was not told that it is durable: the same again (I1), but not to one that was closed. */
export async function appendUntilTaken(log: Log, entries: readonly LogEntry[]): Promise<void> {
  for (;;) {
    try {
      return await log.append(entries);
    } catch (thrown) {
      if (!isPerdureError(thrown) || !thrown.retryable || thrown.code === 'draining') throw thrown;
    }
  }
}

const LAST = 'last';

/** Whether the load's last record is among them. */
export const hasLast = (records: readonly LogRecord[]): boolean => records.some((record) => idOf(record) === LAST);

/** Appenders that write on and on to one log, each in its own order, through whatever happens to the log meanwhile. */
export class AppendLoad {
  readonly #logs: readonly Log[];
  readonly #appenders: number;
  readonly #acked: string[] = [];
  readonly #appending: Promise<unknown>;
  #isOver = false;

  /** `logs`: the same one, as several processes have it. */
  constructor(logs: readonly Log[], appenders: number) {
    this.#logs = logs;
    this.#appenders = appenders;
    this.#appending = Promise.all(Array.from({ length: appenders }, (_, appender) => this.#append(appender)));
    // Told by `end`, or sooner by `grow`.
    this.#appending.catch(() => undefined);
  }

  /** Until so many more were acknowledged. */
  async grow(by: number): Promise<void> {
    const enough = this.#acked.length + by;
    while (this.#acked.length < enough) await Promise.race([after(10), this.#appending]);
  }

  /** No more of them, and one last. */
  async end(): Promise<void> {
    this.#isOver = true;
    await this.#appending;
    await appendUntilTaken(this.#logs[0]!, [entryOf(LAST)]);
    this.#acked.push(LAST);
  }

  /** What one has read who followed the log: all that was acknowledged, in order, at every offset one record. */
  expectWhole(records: readonly LogRecord[]): void {
    expect(records.map(({ offset }) => offset)).toEqual(records.map((_, index) => index));
    expect(new Set(records.map(({ id }) => id)).size).toBe(records.length);
    const ids = [...new Set(records.map(idOf))];
    expect(ids.toSorted()).toEqual(this.#acked.toSorted());
    for (let appender = 0; appender < this.#appenders; appender += 1) {
      const own = ids.filter((id) => id.startsWith(`${appender}/`));
      expect(own).toEqual(own.map((_, index) => `${appender}/${index}`));
    }
  }

  async #append(appender: number): Promise<void> {
    for (let index = 0; !this.#isOver; index += 1) {
      const id = `${appender}/${index}`;
      await appendUntilTaken(this.#logs[appender % this.#logs.length]!, [entryOf(id)]);
      this.#acked.push(id);
    }
  }
}
