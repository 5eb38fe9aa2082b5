import type { CancelTimer, Clock } from '@perdure/clock';
import { runKeyOf } from '@perdure/contract';
import { SliceMachine, type Links, type MessageBody, type Outgoing, type SliceMap, type SliceWork } from '@perdure/delivery';
import { Correlator } from './correlator.js';
import type { CorrelationStore } from './ports.js';
import type { CorrelationChange } from './rows.js';

export interface CorrelationSliceOptions {
  readonly store: CorrelationStore;
  readonly clock: Clock;
  readonly wake: () => void;
  readonly map: Pick<SliceMap, 'destinationOf'>;
  readonly sweepEveryMs?: number;
}

const SWEEP_EVERY_MS = 10 * 60_000;

/** A slice of correlation as its owner drives it: events of its log and waits of runs in, offers out. */
export class CorrelationSlice extends SliceMachine<readonly CorrelationChange[]> {
  readonly #options: CorrelationSliceOptions;
  readonly #correlator: Correlator;
  #isSweepDue = false;
  #cancelSweep: CancelTimer = () => undefined;

  private constructor(options: CorrelationSliceOptions, correlator: Correlator) {
    super();
    this.#options = options;
    this.#correlator = correlator;
    this.#sweepLater();
  }

  /** A close never comes before its open here (I4 is the owner's business), so the correlator keeps no tombstones of its own. */
  static async open(options: CorrelationSliceOptions): Promise<CorrelationSlice> {
    return new CorrelationSlice(options, await Correlator.open({ store: options.store, tombstonesMax: 0 }));
  }

  get waiting(): number {
    return this.#correlator.waiting;
  }

  /** Events that are buffered or offered. */
  get buffered(): number {
    return this.#correlator.buffered;
  }

  override async take(works: readonly SliceWork[]): Promise<readonly Outgoing[]> {
    for (const work of works) {
      if (work.kind === 'event') await this.#correlator.publish([work.event], work.at);
      else if (work.kind === 'message' && work.body.to === 'correlation') await this.#correlator.receive([work.body]);
    }
    if (this.#isSweepDue) this.#correlator.sweep(this.#options.clock.now());
    return this.#correlator.takeInputs().map((input) => {
      const body: MessageBody = { to: 'history', input };
      return { destination: this.#options.map.destinationOf(body), body };
    });
  }

  override async refuse(): Promise<readonly Outgoing[]> {
    return [];
  }

  override takeRows(): readonly CorrelationChange[] | undefined {
    const changes = this.#correlator.takeChanges();
    return changes.length > 0 ? changes : undefined;
  }

  override committed(): void {
    this.#correlator.committed();
    if (!this.#isSweepDue) return;
    this.#isSweepDue = false;
    this.#sweepLater();
  }

  override takeBack(): Promise<void> {
    return this.#correlator.reset();
  }

  override linksOf(body: MessageBody): Links {
    if (body.to !== 'correlation' || body.kind === 'settleOffer') return {};
    const key = `${runKeyOf(body.run)} ${body.seq}`;
    return body.kind === 'openWait' ? { names: [key] } : { undoes: key };
  }

  override close(): void {
    this.#cancelSweep();
  }

  #sweepLater(): void {
    const { clock, wake, sweepEveryMs = SWEEP_EVERY_MS } = this.#options;
    this.#cancelSweep = clock.at(clock.now() + sweepEveryMs, () => {
      this.#isSweepDue = true;
      wake();
    });
  }
}
