import type { Guards } from '@perdure/guards';
import type { MessageBody, Origin } from './message.js';
import { Marks, type MarkRow } from './marks.js';
import { Tombstones, type TombstoneChanges, type TombstoneRow } from './tombstones.js';

/** What a message has to do with others: which keys it is found under, and which it undoes. */
export interface Links {
  readonly names?: readonly string[];
  readonly undoes?: string;
}

export interface IntakeChanges {
  readonly marks: readonly MarkRow[];
  readonly tombstones: TombstoneChanges;
}

/** The receiving end of I4: gives each message to its slice once, and one that undoes another never before that other. */
export class Intake {
  readonly #marks: Marks;
  readonly #tombstones: Tombstones;
  readonly #linksOf: (body: MessageBody) => Links;

  constructor(rows: { readonly marks: readonly MarkRow[]; readonly tombstones: readonly TombstoneRow[] }, linksOf: (body: MessageBody) => Links, guards?: Guards) {
    this.#marks = new Marks(rows.marks, guards);
    this.#tombstones = new Tombstones(rows.tombstones);
    this.#linksOf = linksOf;
  }

  get tombstones(): number {
    return this.#tombstones.size;
  }

  isRepeat(origin: Pick<Origin, 'source' | 'number'>): boolean {
    return this.#marks.isRepeat(origin);
  }

  /** For a message that is to be applied: what is, in order. Nothing, if it undoes what has not come. */
  take(origin: Origin, body: MessageBody): MessageBody[] {
    const { names, undoes } = this.#linksOf(body);
    const waiting = names ? this.#tombstones.standing(origin, names) : [];
    const isEarly = undoes !== undefined && !this.#marks.isComplete(origin);
    this.#marks.add(origin);
    if (isEarly) this.#tombstones.add({ source: origin.source, number: origin.number, key: undoes, body });
    this.#tombstones.passed(origin.source, origin.mark);
    return [body, ...waiting.map((row) => row.body)];
  }

  /** Its effect is nothing: it was refused. */
  skip(origin: Origin): void {
    this.#marks.add(origin);
  }

  takeChanges(): IntakeChanges {
    return { marks: this.#marks.takeChanges(), tombstones: this.#tombstones.takeChanges() };
  }

  committed(): void {
    this.#marks.committed();
    this.#tombstones.committed();
  }

  takeBack(): void {
    this.#marks.takeBack();
    this.#tombstones.takeBack();
  }
}
