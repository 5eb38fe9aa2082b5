import type { CorrelationEffect, Effect } from '@perdure/contract';
import { SLOTS, slotOf } from '@perdure/identity';

/**
 * Which of a data folder's shards has what (design §6). A run, with its tasks, timers and sagas, is where its workflow id's slot is; an event
 * type's events and the waits for them are together in one shard, by tenant and type. Both hold as long as the folder: a declared routing key
 * may change with the configuration, so it has no part in this.
 */
export class ShardMap {
  readonly count: number;

  constructor(count: number) {
    this.count = count;
  }

  shardOf(tenant: string, workflowId: string): number {
    return this.count === 1 ? 0 : Math.floor((slotOf(tenant, workflowId) * this.count) / SLOTS);
  }

  shardOfType(tenant: string, type: string): number {
    return this.shardOf(tenant, type);
  }

  /** Where an effect of a run, or of an event, is carried out; that of a run's own tasks, timers and sagas is its own shard. */
  shardOfEffect(effect: Extract<Effect, { to: 'history' }> | CorrelationEffect): number {
    if (effect.to === 'history') return this.shardOf(effect.input.tenant, effect.input.workflowId);
    return this.shardOfType(effect.run.tenant, effect.kind === 'settleOffer' ? effect.event.type : effect.wait.type);
  }
}
