import type { AnswerReceipt, HeartbeatRequest, HeartbeatResponse, PollRequest, PollResponse, TaskAnswer } from '@perdure/contract';

/** Where workers come for work. The tenant is the one of the worker's credential. */
export abstract class TaskDesk {
  /**
   * Held open until there is work, a held attempt should stop, or `waitMs` have passed. `signal` ends it early (the worker has gone).
   * @throws PerdureError `draining`, `overloaded`
   */
  abstract poll(tenant: string, request: PollRequest, signal?: AbortSignal): Promise<PollResponse>;
  /**
   * One receipt for each answer, in order; given only when what it says is durable.
   * @throws PerdureError `unavailable` when the commit failed: send them again
   */
  abstract answer(tenant: string, answers: readonly TaskAnswer[]): Promise<AnswerReceipt[]>;
  /** One response for each request, in order. */
  abstract heartbeat(tenant: string, requests: readonly HeartbeatRequest[]): Promise<HeartbeatResponse[]>;
}
