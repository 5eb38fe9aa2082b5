import type { Effect, Input } from '@perdure/contract';
import { isStoreFault, SliceMachine, type Links, type Outgoing, type SliceMap, type SliceWork } from '@perdure/delivery';
import type { HistoryCommit } from './ports/history-rows.js';
import { SoleOwner } from './ports/ownership.js';
import type { ProcessorDeps, ProcessorOptions } from './processor-options.js';
import { ShardProcessor } from './shard-processor.js';

export interface HistorySliceOptions extends ProcessorOptions {
  readonly deps: Omit<ProcessorDeps, 'ownership'>;
  readonly epoch: number;
  readonly map: Pick<SliceMap, 'destinationOf'>;
}

/** A shard as its owner drives it: inputs of its log in, effects out. */
export class HistorySlice extends SliceMachine<HistoryCommit> {
  /** For queries, between batches. */
  readonly processor: ShardProcessor;
  readonly #map: Pick<SliceMap, 'destinationOf'>;

  private constructor(processor: ShardProcessor, map: Pick<SliceMap, 'destinationOf'>) {
    super();
    this.processor = processor;
    this.#map = map;
  }

  static async open({ deps, epoch, map, ...options }: HistorySliceOptions): Promise<HistorySlice> {
    return new HistorySlice(await ShardProcessor.open({ ...deps, ownership: new SoleOwner(epoch) }, options), map);
  }

  override async take(works: readonly SliceWork[]): Promise<readonly Outgoing[]> {
    const inputs: Input[] = [];
    for (const work of works) if (work.kind === 'input') inputs.push(work.input);
    return this.#send(await this.processor.process(inputs));
  }

  override async refuse(work: SliceWork, error: Error): Promise<readonly Outgoing[]> {
    // What the store cannot take is not tried again in another form; what has killed its owners is recorded without its code being run.
    return work.kind === 'input' ? this.#send(await this.processor.refuse(work.input, error, { mayRecord: !isStoreFault(error) })) : [];
  }

  override takeRows(): HistoryCommit | undefined {
    return this.processor.takeCommit();
  }
  override committed(): void {
    this.processor.committed();
  }
  override async takeBack(): Promise<void> {
    this.processor.takeBack();
  }
  override linksOf(): Links {
    return {};
  }
  override close(): void {
    this.processor.close();
  }

  #send(effects: readonly Effect[]): Outgoing[] {
    return effects.map((body) => ({ destination: this.#map.destinationOf(body), body }));
  }
}
