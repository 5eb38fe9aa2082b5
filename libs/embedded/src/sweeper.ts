import type { CancelTimer, Clock } from '@perdure/clock';

const SWEEP_EVERY_MS = 10 * 60_000;
/** The pause between two steps of a sweep that has more to do: what runs must not wait for it. */
const SWEEP_ON_MS = 100;

export interface SweeperOptions {
  readonly clock: Clock;
  /** One step; gives whether there is more to remove. */
  readonly sweep: () => Promise<boolean>;
  readonly onFailed: (error: unknown) => void;
}

/** Removes what is old from time to time, in steps, until it is stopped. A step that fails is tried again with the next sweep. */
export class Sweeper {
  readonly #options: SweeperOptions;
  #cancel: CancelTimer = () => undefined;
  #stopped = false;

  constructor(options: SweeperOptions) {
    this.#options = options;
    this.#sweepIn(SWEEP_EVERY_MS);
  }

  stop(): void {
    this.#stopped = true;
    this.#cancel();
  }

  #sweepIn(afterMs: number): void {
    if (this.#stopped) return;
    const { clock } = this.#options;
    this.#cancel = clock.at(clock.now() + afterMs, () => void this.#step().then((isMore) => this.#sweepIn(isMore ? SWEEP_ON_MS : SWEEP_EVERY_MS)));
  }

  async #step(): Promise<boolean> {
    try {
      return await this.#options.sweep();
    } catch (error) {
      this.#options.onFailed(error);
      return false;
    }
  }
}
