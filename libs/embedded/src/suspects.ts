import { inputKeyOf, inputRefOf, LIMITS, type Input } from '@perdure/contract';
import type { ShardFile } from '@perdure/sqlite';
import type { StatementSync } from 'node:sqlite';
import type { BatchNote, InHand } from './batch-note.js';

/** The oldest are forgotten: if one of them kills again, it is suspected again. */
const SUSPECTS_MAX = 8 * LIMITS.batchInputsMax;

const nameOf = (input: Input): string => inputKeyOf(inputRefOf(input));

/**
 * Which inputs were in hand when a process died (I10): one of them may have killed it. They run one by one, whenever they come again, each try counted.
 *
 * 1. Inputs are noted before their code runs. The next process suspects those that were noted last and are not committed: what ran before them has not killed.
 * 2. A suspect stays one, through deaths that are not its fault too, until it is decided, or a process has lived through it.
 */
export class Suspects {
  readonly #file: ShardFile;
  readonly #note: BatchNote;
  readonly #onFailed: (error: unknown) => void;
  readonly #drop: StatementSync;
  /** So many processes have died while each was tried alone. */
  readonly #tries: Map<string, number>;

  /** `onFailed`: what was in hand could not be kept for later processes. */
  constructor(file: ShardFile, { note, onFailed }: { readonly note: BatchNote; readonly onFailed: (error: unknown) => void }) {
    this.#file = file;
    this.#note = note;
    this.#onFailed = onFailed;
    this.#drop = file.db.prepare('delete from input_try where input = ?');
    const left = this.#left();
    if (left) this.#keep(left);
    const rows = file.db.prepare('select input, processes from input_try').all() as unknown as { input: string; processes: number }[];
    this.#tries = new Map([...(left?.names ?? []).map((name) => [name, left!.tries ?? 0] as const), ...rows.map(({ input, processes }) => [input, processes] as const)]);
  }

  has(input: Input): boolean {
    return this.#tries.size > 0 && this.#tries.has(nameOf(input));
  }

  /** Where the first one is, or how many they are. */
  firstIn<T>(items: readonly T[], inputsOf: (item: T) => readonly Input[]): number {
    if (this.#tries.size === 0) return items.length;
    const index = items.findIndex((item) => inputsOf(item).some((input) => this.has(input)));
    return index < 0 ? items.length : index;
  }

  /** Their code runs now. */
  running(inputs: readonly Input[], cursor: number): void {
    if (inputs.length > 0) this.#note.write({ cursor, names: inputs.map(nameOf) });
  }

  /** A suspect is tried now. How many processes have begun it alone, this one included. */
  trying(input: Input, cursor: number): number {
    const tries = (this.#tries.get(nameOf(input)) ?? 0) + 1;
    this.#note.write({ cursor, names: [nameOf(input)], tries });
    return tries;
  }

  /** It has been decided: inside a transaction of the file. `forget` when that is committed. */
  drop(input: Input): void {
    this.#drop.run(nameOf(input));
  }

  forget(input: Input): void {
    this.#tries.delete(nameOf(input));
  }

  /** What a process lives through is no suspect. */
  survived(input: Input, cursor: number): void {
    this.forget(input);
    this.#note.write({ cursor, names: [] });
    this.#file.transaction(() => this.drop(input));
  }

  /** The process ends in order: it was nobody's fault. */
  letGo(cursor: number): void {
    this.#note.write({ cursor, names: [] });
    if (this.#tries.size > 0) this.#file.transaction(() => this.#file.db.exec('delete from input_try'));
  }

  close(): void {
    this.#note.close();
  }

  /** In hand when the last process died. */
  #left(): InHand | undefined {
    const left = this.#note.read();
    const head = this.#file.db.prepare('select cursor from shard').get() as { cursor: number };
    return left && left.names.length > 0 && left.cursor === head.cursor ? left : undefined;
  }

  /** For the processes after this one. If the store cannot take it, this one knows at least. */
  #keep({ names, tries = 0 }: InHand): void {
    const { db, epoch } = this.#file;
    const put = db.prepare('insert into input_try values (?, ?, ?) on conflict (input) do update set processes = max(processes, excluded.processes), epoch = excluded.epoch');
    const forgetOldest = db.prepare('delete from input_try where input in (select input from input_try order by epoch desc, processes desc limit -1 offset ?)');
    try {
      this.#file.transaction(() => {
        for (const name of names) put.run(name, tries, epoch);
        forgetOldest.run(SUSPECTS_MAX);
      });
    } catch (thrown) {
      this.#onFailed(thrown);
    }
  }
}
