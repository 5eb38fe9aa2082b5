import type { AnswerReceipt, HeartbeatRequest, HeartbeatResponse, PollRequest, PollResponse, TaskAnswer } from '@perdure/contract';
import type { WorkerTransport } from './worker-transport.js';

/** What the scheduler's `TaskDesk` offers, by its shape: the SDK knows no server package. */
export interface Desk {
  poll(tenant: string, request: PollRequest, signal?: AbortSignal): Promise<PollResponse>;
  answer(tenant: string, answers: readonly TaskAnswer[]): Promise<readonly AnswerReceipt[]>;
  heartbeat(tenant: string, requests: readonly HeartbeatRequest[]): Promise<readonly HeartbeatResponse[]>;
}

/** A scheduler in the same process. */
export class DeskWorkerTransport implements WorkerTransport {
  readonly #desk: Desk;
  readonly #tenant: string;

  constructor(desk: Desk, tenant: string) {
    this.#desk = desk;
    this.#tenant = tenant;
  }

  poll(request: PollRequest, signal: AbortSignal): Promise<PollResponse> {
    return this.#desk.poll(this.#tenant, request, signal);
  }

  /** Parsed again, so that the value is the one every other host would have sent, and shared with nobody. */
  answer(answers: readonly string[]): Promise<readonly AnswerReceipt[]> {
    return this.#desk.answer(this.#tenant, answers.map((answer) => JSON.parse(answer) as TaskAnswer));
  }

  heartbeat(requests: readonly HeartbeatRequest[]): Promise<readonly HeartbeatResponse[]> {
    return this.#desk.heartbeat(this.#tenant, requests);
  }

  async close(): Promise<void> {
    // Nothing is open.
  }
}
