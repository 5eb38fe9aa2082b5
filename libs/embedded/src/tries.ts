import { inputKeyOf, type Input } from '@perdure/contract';
import type { ShardFile } from '@perdure/sqlite';
import type { StatementSync } from 'node:sqlite';

const SCHEMA = `
create table if not exists input_try (input text primary key, processes integer not null, epoch integer not null) without rowid;
create table if not exists process_end (id integer primary key check (id = 1), let_go integer not null, calm integer not null);
`;

const nameOf = (input: Input): string => inputKeyOf({ ...input, inputId: input.id });

/**
 * Which inputs were in hand when a process died, and how often (I10).
 *
 * 1. A try is durable before it begins, and is forgotten by the transaction that records what came of it.
 * 2. What a process lives through is no death: `survived`.
 */
export class Tries {
  readonly #file: ShardFile;
  readonly #begin: StatementSync;
  readonly #drop: StatementSync;
  /** So many processes in a row, the last one among them, died without having lived for long: it may have been an input that killed them. */
  readonly deaths: number;

  constructor(file: ShardFile) {
    this.#file = file;
    file.db.exec(SCHEMA);
    this.#begin = file.db.prepare('insert into input_try values (?, 1, ?) on conflict (input) do update set processes = processes + (epoch <> excluded.epoch), epoch = excluded.epoch returning processes');
    this.#drop = file.db.prepare('delete from input_try where input = ?');
    const last = file.db.prepare('select let_go as letGo, calm from process_end').get() as { letGo: number; calm: number } | undefined;
    // Each process takes an epoch.
    this.deaths = last ? file.epoch - 1 - Math.max(last.letGo, last.calm - 1) : Math.min(1, file.epoch - 1);
  }

  /** How many processes have begun it, this one included. */
  begin(input: Input): number {
    return this.#file.transaction(() => {
      // From a file of which no end was noted: the deaths are counted from here.
      this.#note({ letGo: this.#file.epoch - 1 - this.deaths, calm: 0 });
      return (this.#begin.get(nameOf(input), this.#file.epoch) as { processes: number }).processes;
    });
  }

  /** Inside a transaction of the file. */
  drop(input: Input): void {
    this.#drop.run(nameOf(input));
  }

  survived(input: Input): void {
    this.#file.transaction(() => this.drop(input));
  }

  /** The next process need not be careful. */
  letGo(): void {
    this.#file.transaction(() => {
      this.#file.db.exec('delete from input_try');
      this.#note({ letGo: this.#file.epoch, calm: 0 });
    });
  }

  /** It has lived for long: if it dies, that is a first death. */
  calm(): void {
    this.#file.transaction(() => this.#note({ letGo: 0, calm: this.#file.epoch }));
  }

  #note({ letGo, calm }: { readonly letGo: number; readonly calm: number }): void {
    this.#file.db.prepare('insert into process_end values (1, ?, ?) on conflict (id) do update set let_go = max(let_go, excluded.let_go), calm = max(calm, excluded.calm)').run(letGo, calm);
  }
}
