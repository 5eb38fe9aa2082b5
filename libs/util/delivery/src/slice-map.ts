import type { ExternalEvent, WaitSpec } from '@perdure/contract';
import type { MessageBody, Service, SliceName } from './message.js';

export interface SliceMapOptions {
  /** How many slices each service has. */
  readonly counts: Readonly<Record<Service, number>>;
  /** `slotOf` and `SLOTS` of `@perdure/identity`: for ever the same (design §6). */
  readonly slotOf: (tenant: string, key: string) => number;
  readonly slots: number;
  /** What one slice of correlation has together: the `EventTypes` of correlation say it. */
  readonly routing: {
    sliceOfEvent(event: ExternalEvent): string;
    sliceOfWait(tenant: string, wait: WaitSpec): string;
  };
}

/**
 * Which slice has what (design §6). Runs are on a shard by their slot; the scheduler and compensation have all of a run on one slice,
 * for a cancel and the end of the run name no queue; correlation has an event and the waits for it on one.
 */
export class SliceMap {
  readonly #options: SliceMapOptions;

  constructor(options: SliceMapOptions) {
    this.#options = options;
  }

  get slices(): SliceName[] {
    return Object.entries(this.#options.counts).flatMap(([service, count]) => Array.from({ length: count }, (_, index): SliceName => `${service as Service}/${index}`));
  }

  shardOf(tenant: string, workflowId: string): SliceName {
    return this.#of('history', tenant, workflowId);
  }

  schedulerOf(tenant: string, workflowId: string): SliceName {
    return this.#of('scheduler', tenant, workflowId);
  }

  sliceOfEvent(event: ExternalEvent): SliceName {
    return this.#of('correlation', event.tenant, this.#options.routing.sliceOfEvent(event));
  }

  destinationOf(body: MessageBody): SliceName {
    if (body.to === 'history') return this.shardOf(body.input.tenant, body.input.workflowId);
    if (body.to !== 'correlation') return this.#of(body.to, body.run.tenant, body.run.workflowId);
    if (body.kind === 'settleOffer') return this.sliceOfEvent(body.event);
    return this.#of('correlation', body.run.tenant, this.#options.routing.sliceOfWait(body.run.tenant, body.wait));
  }

  #of(service: Service, tenant: string, key: string): SliceName {
    const { slotOf, slots, counts } = this.#options;
    return `${service}/${Math.floor((slotOf(tenant, key) * counts[service]) / slots)}`;
  }
}
