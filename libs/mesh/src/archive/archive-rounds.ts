import type { CancelTimer, Clock } from '@perdure/clock';
import { toPerdureError, type PerdureError } from '@perdure/contract';
import { backoffMs, type LogArchiver, type SliceName } from '@perdure/delivery';
import { MESH_LIMITS } from '../mesh-limits.js';

/** A slice that this node owns. */
export interface ArchivedOwner {
  readonly slice: SliceName;
}

export interface ArchiveRoundsOptions<O extends ArchivedOwner> {
  readonly clock: Clock;
  /** In [0, 1). */
  readonly random: () => number;
  /** Asked anew for each round: owners come and go. */
  readonly owners: () => readonly O[];
  /** Made once for an owner: the next one goes on where the archive ends. */
  readonly archiver: (owner: O) => Pick<LogArchiver, 'step' | 'waiting'>;
  readonly archived: (slice: SliceName, records: number) => void;
  /** `isFirst` of a row of failures. */
  readonly failed: (slice: SliceName, error: PerdureError, isFirst: boolean) => void;
}

interface Archived {
  readonly archiver: Pick<LogArchiver, 'step' | 'waiting'>;
  failures: number;
  notBeforeMs: number;
}

/**
 * Archives the logs of a node's slices behind their owners, from time to time and one segment at a time, whoever's it is: so much memory and no more. A log that
 * cannot be archived now waits, longer each time, and holds up no other.
 */
export class ArchiveRounds<O extends ArchivedOwner> {
  readonly #options: ArchiveRoundsOptions<O>;
  /** As long as there is the owner. */
  readonly #archived = new WeakMap<O, Archived>();
  #cancel: CancelTimer = () => undefined;
  #round: Promise<void> = Promise.resolve();
  #isStopped = false;

  constructor(options: ArchiveRoundsOptions<O>) {
    this.#options = options;
    this.#roundLater();
  }

  /** Committed and not archived, of all that it knows. */
  get waiting(): number {
    return this.#options.owners().reduce((sum, owner) => sum + (this.#archived.get(owner)?.archiver.waiting ?? 0), 0);
  }

  /** Resolves when what is in hand is done with. */
  async stop(): Promise<void> {
    this.#isStopped = true;
    this.#cancel();
    await this.#round;
  }

  #roundLater(): void {
    const { clock, random } = this.#options;
    if (this.#isStopped) return;
    this.#cancel = clock.at(clock.now() + MESH_LIMITS.archiveEveryMs * (0.5 + 0.5 * random()), () => {
      this.#round = this.#runRound().finally(() => this.#roundLater());
    });
  }

  async #runRound(): Promise<void> {
    const { owners } = this.#options;
    for (let isMore = true; isMore && !this.#isStopped; ) {
      isMore = false;
      for (const owner of owners()) {
        if (this.#isStopped) return;
        isMore = (await this.#step(owner)) || isMore;
      }
    }
  }

  async #step(owner: O): Promise<boolean> {
    const { clock, random, archiver, archived, failed } = this.#options;
    const known = this.#archived.get(owner) ?? { archiver: archiver(owner), failures: 0, notBeforeMs: 0 };
    this.#archived.set(owner, known);
    if (clock.now() < known.notBeforeMs) return false;
    try {
      const { records, isMore } = await known.archiver.step();
      known.failures = 0;
      if (records > 0) archived(owner.slice, records);
      return isMore;
    } catch (thrown) {
      failed(owner.slice, toPerdureError(thrown), known.failures === 0);
      known.notBeforeMs = clock.now() + backoffMs(known.failures++, { firstMs: MESH_LIMITS.archiveAgainAfterMs, maxMs: MESH_LIMITS.archiveAgainAfterMsMax, random });
      return false;
    }
  }
}
