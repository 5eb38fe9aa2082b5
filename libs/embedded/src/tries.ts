import { inputKeyOf, type Input } from '@perdure/contract';
import type { ShardFile } from '@perdure/sqlite';
import type { StatementSync } from 'node:sqlite';

const SCHEMA = `
create table if not exists input_try (input text primary key, processes integer not null, epoch integer not null) without rowid;
create table if not exists let_go (id integer primary key check (id = 1), epoch integer not null);
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
  /** The last process did not let go of the file: it died, and it may have been an input that killed it. */
  readonly isAfterDeath: boolean;

  constructor(file: ShardFile) {
    this.#file = file;
    file.db.exec(SCHEMA);
    this.#begin = file.db.prepare('insert into input_try values (?, 1, ?) on conflict (input) do update set processes = processes + (epoch <> excluded.epoch), epoch = excluded.epoch returning processes');
    this.#drop = file.db.prepare('delete from input_try where input = ?');
    const letGo = file.db.prepare('select epoch from let_go').get() as { epoch: number } | undefined;
    this.isAfterDeath = file.epoch > 1 && letGo?.epoch !== file.epoch - 1;
  }

  /** How many processes have begun it, this one included. */
  begin(input: Input): number {
    return this.#file.transaction(() => (this.#begin.get(nameOf(input), this.#file.epoch) as { processes: number }).processes);
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
      this.#file.db.prepare('insert into let_go values (1, ?) on conflict (id) do update set epoch = excluded.epoch').run(this.#file.epoch);
    });
  }
}
