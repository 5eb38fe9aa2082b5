import { SliceMachine, type Links, type MessageBody, type Outgoing, type SliceMap, type SliceWork } from '@perdure/delivery';
import { Compensator } from './compensator.js';
import type { SagaStore } from './ports.js';
import type { CompensationChange } from './rows.js';

/** A slice of compensation as its owner drives it: rollbacks and undo closings in, undo tasks and answers out. */
export class CompensationSlice extends SliceMachine<readonly CompensationChange[]> {
  readonly #compensator: Compensator;
  readonly #map: Pick<SliceMap, 'destinationOf'>;

  private constructor(compensator: Compensator, map: Pick<SliceMap, 'destinationOf'>) {
    super();
    this.#compensator = compensator;
    this.#map = map;
  }

  static async open(store: SagaStore, map: Pick<SliceMap, 'destinationOf'>): Promise<CompensationSlice> {
    return new CompensationSlice(await Compensator.open(store), map);
  }

  override async take(works: readonly SliceWork[]): Promise<readonly Outgoing[]> {
    for (const work of works) {
      if (work.kind !== 'message' || work.body.to !== 'compensation') continue;
      if (work.body.kind === 'rollback') this.#compensator.receive([work.body]);
      else this.#compensator.closed([work.body], work.body.at);
    }
    const bodies: MessageBody[] = [...this.#compensator.takeEffects(), ...this.#compensator.takeInputs().map((input): MessageBody => ({ to: 'history', input }))];
    return bodies.map((body) => ({ destination: this.#map.destinationOf(body), body }));
  }

  override async refuse(): Promise<readonly Outgoing[]> {
    return [];
  }

  override takeRows(): readonly CompensationChange[] | undefined {
    const changes = this.#compensator.takeChanges();
    return changes.length > 0 ? changes : undefined;
  }
  override committed(): void {
    this.#compensator.committed();
  }
  override takeBack(): Promise<void> {
    return this.#compensator.reset();
  }
  override linksOf(): Links {
    return {};
  }
  override close(): void {
    // It holds nothing but memory.
  }
}
