import type { AnswerReceipt, HeartbeatRequest, HeartbeatResponse, PollRequest, PollResponse, TaskAnswer } from '@perdure/contract';
import type { SliceName } from '@perdure/delivery';
import { TaskDesk } from '@perdure/scheduler';
import type { SliceAsks } from './slice-asks.js';

/** A poll's own time, and for the way. */
const WAY_MS = 5_000;

/** The desk of a slice of the scheduler, wherever its owner is. */
export class RemoteDesk extends TaskDesk {
  readonly #asks: SliceAsks;
  readonly #slice: SliceName;

  constructor(asks: SliceAsks, slice: SliceName) {
    super();
    this.#asks = asks;
    this.#slice = slice;
  }

  override poll(tenant: string, request: PollRequest, signal?: AbortSignal): Promise<PollResponse> {
    return this.#asks.ask(this.#slice, { operation: 'poll', body: { tenant, request }, signal, timeoutMs: request.waitMs + WAY_MS });
  }
  override answer(tenant: string, answers: readonly TaskAnswer[]): Promise<AnswerReceipt[]> {
    return this.#asks.ask(this.#slice, { operation: 'answer', body: { tenant, answers } });
  }
  override heartbeat(tenant: string, requests: readonly HeartbeatRequest[]): Promise<HeartbeatResponse[]> {
    return this.#asks.ask(this.#slice, { operation: 'heartbeat', body: { tenant, requests } });
  }
}
