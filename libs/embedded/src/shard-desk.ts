import type { AnswerReceipt, HeartbeatRequest, HeartbeatResponse, PollRequest, PollResponse, TaskAnswer } from '@perdure/contract';
import { TaskDesk } from '@perdure/scheduler';
import type { ShardGateway } from './shard-gateway.js';

/** A shard's slice of the scheduler, as workers see it. */
export class ShardDesk extends TaskDesk {
  readonly #shard: ShardGateway;
  constructor(shard: ShardGateway) {
    super();
    this.#shard = shard;
  }
  override poll(tenant: string, request: PollRequest, signal?: AbortSignal): Promise<PollResponse> {
    return this.#shard.poll(tenant, request, signal);
  }
  override async answer(tenant: string, answers: readonly TaskAnswer[]): Promise<AnswerReceipt[]> {
    return [...(await this.#shard.answer(tenant, answers))];
  }
  override async heartbeat(tenant: string, requests: readonly HeartbeatRequest[]): Promise<HeartbeatResponse[]> {
    return [...(await this.#shard.heartbeat(tenant, requests))];
  }
}
