import type { LedgerAnswer, LedgerLine, LedgerRecord } from './ledger-record.js';

/**
 * What the ledger knows.
 *
 * 1. An effect is applied once per idempotency key; whoever comes later is told so, and still recorded.
 * 2. A record that is told again (its answer was lost) is not recorded again, and gets the first one's answer.
 */
export class LedgerBook {
  readonly #answers = new Map<string, LedgerAnswer>();
  readonly #applied = new Set<string>();

  /** The line to write, if any; the answer holds once that is on disk. */
  take(record: LedgerRecord): { readonly line?: LedgerLine; readonly answer: LedgerAnswer } {
    const identity = `${record.kind} ${record.execution}`;
    const known = this.#answers.get(identity);
    if (known) return { answer: known };
    const line: LedgerLine = record.kind === 'attempt' ? record : { ...record, applied: !this.#applied.has(record.key) };
    return { line, answer: this.#enter(line) };
  }

  /** A line that is on disk already. */
  restore(line: LedgerLine): void {
    this.#enter(line);
  }

  #enter(line: LedgerLine): LedgerAnswer {
    const answer = line.applied === false ? 'already applied' : 'new';
    if (line.kind === 'effect') this.#applied.add(line.key);
    this.#answers.set(`${line.kind} ${line.execution}`, answer);
    return answer;
  }
}
