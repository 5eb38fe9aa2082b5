import type { CancelTimer, Clock } from '@perdure/clock';
import type { Membership, MeshNode } from '@perdure/delivery';
import type { Logger } from 'pino';
import { MESH_LIMITS } from '../mesh-limits.js';

export interface SeatOptions {
  readonly self: MeshNode;
  readonly membership: Pick<Membership, 'join' | 'leave'>;
  /** Whether the sidecar answers at all; what it thinks of its components is not this node's fault. */
  readonly hasSidecar: () => Promise<boolean>;
  readonly clock: Clock;
  readonly logger: Pick<Logger, 'warn'>;
}

/**
 * This node's place among the others. A node without its sidecar could send nothing and would keep its slices from those who can, so it
 * gives up its place when the sidecar has been away for a while, and takes it again when it is back. A short absence changes nothing: whoever
 * runs the sidecar starts it again.
 */
export class Seat {
  readonly #options: SeatOptions;
  #seenMs: number;
  #isTaken = false;
  #isOver = false;
  #alarm: CancelTimer | undefined;
  #look: Promise<void> = Promise.resolve();

  constructor(options: SeatOptions) {
    this.#options = options;
    this.#seenMs = options.clock.now();
  }

  get isTaken(): boolean {
    return this.#isTaken;
  }

  async take(): Promise<void> {
    await this.#join();
    this.#lookLater();
  }

  /** For good. */
  async leave(): Promise<void> {
    this.#isOver = true;
    this.#alarm?.();
    await this.#look;
    this.#isTaken = false;
    await this.#options.membership.leave();
  }

  #lookLater(): void {
    const { clock } = this.#options;
    this.#alarm = clock.at(clock.now() + MESH_LIMITS.sidecarWatchEveryMs, () => {
      this.#look = this.#lookOnce().finally(() => {
        if (!this.#isOver) this.#lookLater();
      });
    });
  }

  async #lookOnce(): Promise<void> {
    const { hasSidecar, clock, logger, membership } = this.#options;
    const isThere = await hasSidecar();
    if (this.#isOver) return;
    if (isThere) {
      this.#seenMs = clock.now();
      if (this.#isTaken) return;
      logger.warn({}, 'its sidecar is back; the node takes its place again');
      await this.#join();
    } else if (this.#isTaken && clock.now() - this.#seenMs >= MESH_LIMITS.sidecarGoneAfterMs) {
      logger.warn({ forMs: clock.now() - this.#seenMs }, 'its sidecar is gone; the node leaves its place to others until it is back');
      this.#isTaken = false;
      await membership.leave();
    }
  }

  async #join(): Promise<void> {
    await this.#options.membership.join(this.#options.self);
    this.#isTaken = true;
  }
}
