import { setTimeout as pause } from 'node:timers/promises';
import type { Clock } from '@perdure/clock';
import type { Delivery } from './signed-webhooks.js';

export interface Parcel {
  readonly tracking: string;
  readonly address: string;
}

/** Parcels to this place are never seen again. */
export const LOST_AT = 'Bermuda';

const COURSES = ['plain', 'early', 'twice', 'out of order'] as const;
export type Course = (typeof COURSES)[number];

export interface CarrierSimulatorOptions {
  readonly send: (delivery: Delivery) => Promise<void>;
  readonly clock: Clock;
  readonly stopped: AbortSignal;
  readonly onFailed: (error: Error) => void;
  /** From one scan of a parcel to the next. Default 1,000. */
  readonly scanEveryMs?: number;
}

/**
 * A carrier as carriers are. It takes parcels and tells by webhook where they are: of every four parcels one in due order, one before
 * anybody waits for it, one twice, one in the wrong order.
 */
export class CarrierSimulator {
  readonly #options: CarrierSimulatorOptions;
  readonly #taken = new Set<string>();
  readonly #underWay = new Set<Promise<void>>();

  constructor(options: CarrierSimulatorOptions) {
    this.#options = options;
  }

  /** Taking one parcel again changes nothing. Resolves once the parcel is the carrier's, which for an early one is after its scans. */
  async take({ tracking, address }: Parcel): Promise<void> {
    if (this.#taken.has(tracking) || address.endsWith(LOST_AT)) return;
    const course = COURSES[this.#taken.size % COURSES.length]!;
    this.#taken.add(tracking);
    const told = this.#tell(tracking, course).catch(this.#options.onFailed);
    this.#underWay.add(told);
    void told.then(() => this.#underWay.delete(told));
    if (course === 'early') await told;
  }

  /** Until every scan is sent of the parcels taken so far. */
  async settled(): Promise<void> {
    await Promise.all(this.#underWay);
  }

  async #tell(tracking: string, course: Course): Promise<void> {
    const { send, clock, stopped, scanEveryMs = 1_000 } = this.#options;
    for (const [type, place] of scansOf(course)) {
      if (course !== 'early') await pause(scanEveryMs, undefined, { signal: stopped }).catch(() => undefined);
      if (stopped.aborted) return;
      await send({ id: `${tracking}/${type}`, body: { type, tracking, place, at: new Date(clock.now()).toISOString() } });
    }
  }
}

const PICKED_UP = ['carrier.picked-up', 'depot'] as const;
const DELIVERED = ['carrier.delivered', 'front door'] as const;

export const scansOf = (course: Course): readonly (readonly [type: string, place: string])[] => {
  if (course === 'twice') return [PICKED_UP, PICKED_UP, DELIVERED, DELIVERED];
  return course === 'out of order' ? [DELIVERED, PICKED_UP] : [PICKED_UP, DELIVERED];
};
