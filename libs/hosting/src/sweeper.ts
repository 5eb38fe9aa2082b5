import type { CancelTimer, Clock } from '@perdure/clock';

const SWEEP_EVERY_MS = 10 * 60_000;
/** The pause between two steps of a sweep that has more to do: what runs must not wait for it. */
const SWEEP_ON_MS = 100;

export interface SweeperOptions<O> {
  readonly clock: Clock;
  /** Whose rows they are, asked anew for each step: owners come and go. */
  readonly owners: () => readonly O[];
  /** One step for one owner; gives whether there is more to remove. */
  readonly sweep: (owner: O) => Promise<boolean>;
  readonly onFailed: (error: unknown) => void;
}

/** Removes what is old from time to time, in steps, until it is stopped. A step that fails is tried again with the next sweep, and holds up no other owner's. */
export class Sweeper<O> {
  readonly #options: SweeperOptions<O>;
  #cancel: CancelTimer = () => undefined;
  #isStopped = false;

  constructor(options: SweeperOptions<O>) {
    this.#options = options;
    this.#sweepIn(SWEEP_EVERY_MS);
  }

  stop(): void {
    this.#isStopped = true;
    this.#cancel();
  }

  #sweepIn(afterMs: number): void {
    if (this.#isStopped) return;
    const { clock } = this.#options;
    this.#cancel = clock.at(clock.now() + afterMs, () => void this.#step().then((isMore) => this.#sweepIn(isMore ? SWEEP_ON_MS : SWEEP_EVERY_MS)));
  }

  async #step(): Promise<boolean> {
    const { owners, sweep, onFailed } = this.#options;
    let isMore = false;
    for (const owner of owners()) {
      try {
        isMore = (await sweep(owner)) || isMore;
      } catch (error) {
        onFailed(error);
      }
    }
    return isMore;
  }
}
