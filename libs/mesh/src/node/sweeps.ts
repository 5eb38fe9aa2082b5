import type { CancelTimer, Clock } from '@perdure/clock';
import type { Logger } from 'pino';

const SWEEP_EVERY_MS = 10 * 60_000;
/** The pause between two steps of a sweep that has more to do: what runs must not wait for it. */
const SWEEP_ON_MS = 100;

export interface SweepsOptions<O> {
  readonly clock: Clock;
  readonly logger: Logger;
  readonly owners: () => readonly O[];
  /** One step; gives whether there is more to remove. */
  readonly sweep: ((owner: O) => Promise<boolean>) | undefined;
}

/** Removes what is old of the slices that the node owns, from time to time, in steps. A step that fails is tried again with the next sweep. */
export class Sweeps<O> {
  readonly #options: SweepsOptions<O>;
  #cancel: CancelTimer = () => undefined;
  #isStopped = false;

  constructor(options: SweepsOptions<O>) {
    this.#options = options;
    if (options.sweep) this.#in(SWEEP_EVERY_MS);
  }

  stop(): void {
    this.#isStopped = true;
    this.#cancel();
  }

  #in(afterMs: number): void {
    if (this.#isStopped) return;
    const { clock } = this.#options;
    this.#cancel = clock.at(clock.now() + afterMs, () => void this.#step().then((isMore) => this.#in(isMore ? SWEEP_ON_MS : SWEEP_EVERY_MS)));
  }

  async #step(): Promise<boolean> {
    const { owners, sweep, logger } = this.#options;
    let isMore = false;
    for (const owner of owners()) {
      try {
        isMore = ((await sweep?.(owner)) ?? false) || isMore;
      } catch (error) {
        logger.warn({ error: String(error) }, 'the sweep failed');
      }
    }
    return isMore;
  }
}
