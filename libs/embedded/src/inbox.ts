import type { Input } from '@perdure/contract';
import type { ShardFile } from '@perdure/sqlite';
import type { StatementSync } from 'node:sqlite';

/**
 * Inputs that a batch caused and left for the next, durable with that batch: in order, each taken by exactly one batch that commits.
 */
export class Inbox {
  readonly #file: ShardFile;
  readonly #insert: StatementSync;
  /** Committed, not yet taken by a batch that committed. */
  #rows: { readonly number: number; readonly input: Input }[];
  #taken = 0;
  #added: { readonly number: number; readonly input: Input }[] = [];
  #last: number;

  constructor(file: ShardFile) {
    this.#file = file;
    this.#insert = file.db.prepare('insert into inbox values (?, ?)');
    const rows = file.db.prepare('select number, body from inbox order by number').all() as unknown as { number: number; body: string }[];
    this.#rows = rows.map(({ number, body }) => ({ number, input: JSON.parse(body) as Input }));
    this.#last = rows.at(-1)?.number ?? 0;
  }

  get isEmpty(): boolean {
    return this.#rows.length === 0;
  }
  get size(): number {
    return this.#rows.length;
  }
  get isChanged(): boolean {
    return this.#taken > 0 || this.#added.length > 0;
  }

  first(countMax: number): Input[] {
    return this.#rows.slice(0, countMax).map(({ input }) => input);
  }

  take(countMax: number): Input[] {
    const inputs = this.first(countMax);
    this.#taken = inputs.length;
    return inputs;
  }

  put(inputs: readonly Input[]): void {
    for (const input of inputs) this.#added.push({ number: ++this.#last, input });
  }

  /** Inside a transaction of the file. */
  write(): void {
    if (this.#taken > 0) this.#file.db.prepare('delete from inbox where number <= ?').run(this.#rows[this.#taken - 1]!.number);
    for (const { number, input } of this.#added) this.#insert.run(number, JSON.stringify(input));
  }

  committed(): void {
    this.#rows = [...this.#rows.slice(this.#taken), ...this.#added];
    this.takeBack();
  }

  takeBack(): void {
    this.#taken = 0;
    this.#added = [];
  }
}
