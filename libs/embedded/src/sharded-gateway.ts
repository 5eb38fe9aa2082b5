import type { AnswerReceipt, ExternalEvent, HeartbeatRequest, HeartbeatResponse, Input, InputOutcome, Json, PollRequest, PollResponse, TaskAnswer } from '@perdure/contract';
import { DeskRelay } from '@perdure/scheduler';
import { ShardDesk } from './shard-desk.js';
import type { InspectedBundle, MetricJson } from '@perdure/hosting';
import { ShardGateway, type QueryRequest, type ShardFigures, type ShardHints } from './shard-gateway.js';
import type { ShardMap } from './shard-map.js';

export interface ShardedGatewayOptions {
  /** By their number. */
  readonly shards: readonly ShardGateway[];
  readonly map: ShardMap;
}

/** All shards of a process, asked as one: what concerns a run goes to its shard, workers are served by all of them. */
export class ShardedGateway extends ShardGateway {
  readonly #shards: readonly ShardGateway[];
  readonly #map: ShardMap;
  readonly #relay: DeskRelay;

  constructor({ shards, map }: ShardedGatewayOptions) {
    super();
    this.#shards = shards;
    this.#map = map;
    this.#relay = new DeskRelay({ desks: shards.map((shard) => new ShardDesk(shard)) });
  }

  override append(inputs: readonly Input[]): Promise<readonly InputOutcome[]> {
    return this.#byShard(inputs, {
      shardOf: ({ tenant, workflowId }) => this.#map.shardOf(tenant, workflowId),
      ask: (shard, its) => shard.append(its),
    });
  }
  override publish(events: readonly ExternalEvent[]): Promise<readonly ('accepted' | 'duplicate')[]> {
    return this.#byShard(events, { shardOf: ({ tenant, type }) => this.#map.shardOfType(tenant, type), ask: (shard, its) => shard.publish(its) });
  }
  override query(request: QueryRequest): Promise<{ readonly value?: Json }> {
    return this.#shards[this.#map.shardOf(request.tenant, request.workflowId)]!.query(request);
  }
  override poll(tenant: string, request: PollRequest, signal?: AbortSignal): Promise<PollResponse> {
    return this.#relay.poll(tenant, request, signal);
  }
  override answer(tenant: string, answers: readonly TaskAnswer[]): Promise<readonly AnswerReceipt[]> {
    return this.#relay.answer(tenant, answers);
  }
  override heartbeat(tenant: string, requests: readonly HeartbeatRequest[]): Promise<readonly HeartbeatResponse[]> {
    return this.#relay.heartbeat(tenant, requests);
  }
  override inspect(code: string): Promise<InspectedBundle> {
    return this.#shards[0]!.inspect(code);
  }
  override async forgetBundle(tenant: string, hash: string): Promise<void> {
    await Promise.all(this.#shards.map((shard) => shard.forgetBundle(tenant, hash)));
  }
  override async figures(): Promise<ShardFigures> {
    const [first, ...others] = await Promise.all(this.#shards.map((shard) => shard.figures()));
    return others.reduce(addFigures, first!);
  }
  override async metrics(): Promise<readonly (readonly MetricJson[])[]> {
    return (await Promise.all(this.#shards.map((shard) => shard.metrics()))).flat();
  }
  override onHints(listener: (hints: ShardHints) => void): void {
    for (const shard of this.#shards) shard.onHints(listener);
  }
  override async drain(): Promise<void> {
    await Promise.all(this.#shards.map((shard) => shard.drain()));
  }
  override async close(): Promise<void> {
    await Promise.all(this.#shards.map((shard) => shard.close()));
  }

  /** In the order asked. What concerns one shard alone, which is nearly always, is passed on as it is. */
  async #byShard<T, R>(all: readonly T[], { shardOf, ask }: { readonly shardOf: (item: T) => number; readonly ask: (shard: ShardGateway, its: readonly T[]) => Promise<readonly R[]> }): Promise<readonly R[]> {
    const places = new Map<number, number[]>();
    for (const [place, item] of all.entries()) {
      const shard = shardOf(item);
      const its = places.get(shard);
      if (its) its.push(place);
      else places.set(shard, [place]);
    }
    if (places.size === 1) return ask(this.#shards[places.keys().next().value!]!, all);
    const results = new Array<R>(all.length);
    await Promise.all(
      [...places].map(async ([shard, its]) => {
        const given = await ask(this.#shards[shard]!, its.map((place) => all[place]!));
        for (const [i, place] of its.entries()) results[place] = given[i]!;
      }),
    );
    return results;
  }
}

const addFigures = (a: ShardFigures, b: ShardFigures): ShardFigures => ({
  batches: a.batches + b.batches,
  inputs: a.inputs + b.inputs,
  commitFailures: a.commitFailures + b.commitFailures,
  commitSeconds: a.commitSeconds + b.commitSeconds,
  liveRealms: a.liveRealms + b.liveRealms,
  queued: a.queued + b.queued,
});
