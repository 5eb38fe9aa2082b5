import { inputKeyOf, type Input } from '@perdure/contract';
import type { Decided } from '@perdure/history';
import type { ShardHints } from './shard-gateway.js';
import type { InputWork, Work } from './work.js';

/** Who waits for what the batches decide, and what others may want to know of them. Nothing is told before its commit (I1). */
export class Answers {
  /** By what they brought, not by its id: under one id several may have brought different things. */
  readonly #waiting = new Map<Input, InputWork[]>();
  readonly #listeners: ((hints: ShardHints) => void)[] = [];
  #hints: { closed: string[]; decided: string[] } = { closed: [], decided: [] };

  onHints(listener: (hints: ShardHints) => void): void {
    this.#listeners.push(listener);
  }

  expect(work: InputWork): void {
    this.#waiting.set(work.input, [...(this.#waiting.get(work.input) ?? []), work]);
  }

  /** After the commit. */
  decided({ ref, outcome, input }: Decided): void {
    if (outcome.kind === 'updated') this.#hints.decided.push(inputKeyOf(ref));
    if (!input) return;
    const works = this.#waiting.get(input);
    this.#waiting.delete(input);
    for (const { resolve } of works ?? []) resolve(outcome);
  }

  /** After the commit. */
  closed(runKey: string): void {
    this.#hints.closed.push(runKey);
  }

  committed(works: readonly Work[]): void {
    for (const work of works) {
      if (work.kind !== 'events') continue;
      if (work.refusal) work.reject(work.refusal);
      else work.resolve(work.receipts ?? []);
    }
    const hints = this.#hints;
    if (hints.closed.length === 0 && hints.decided.length === 0) return;
    this.#hints = { closed: [], decided: [] };
    for (const listener of this.#listeners) listener(hints);
  }

  /** The batch's works are rejected, or tried again. */
  takeBack(): void {
    this.#waiting.clear();
    this.#hints = { closed: [], decided: [] };
  }
}
