import type { AnswerReceipt, HeartbeatRequest, HeartbeatResponse, PollRequest, PollResponse, TaskAnswer } from '@perdure/contract';
import type { WorkerTransport } from './worker-transport.js';

/** What the scheduler's `TaskDesk` offers, by its shape: the SDK knows no server package. */
export interface Desk {
  poll(tenant: string, request: PollRequest, signal?: AbortSignal): Promise<PollResponse>;
  answer(tenant: string, answers: readonly TaskAnswer[]): Promise<readonly AnswerReceipt[]>;
  heartbeat(tenant: string, requests: readonly HeartbeatRequest[]): Promise<readonly HeartbeatResponse[]>;
}

/** Parsed again, so that the value is the one every other host would have sent, and shared with nobody. */
const parse = (answer: string): TaskAnswer => JSON.parse(answer) as TaskAnswer;

/** A scheduler in the same process. */
export class DeskWorkerTransport implements WorkerTransport {
  readonly #desk: Desk;
  readonly #tenant: string;

  constructor(desk: Desk, tenant: string) {
    this.#desk = desk;
    this.#tenant = tenant;
  }

  poll(request: PollRequest, signal: AbortSignal, answers: readonly string[] = []): Promise<PollResponse> {
    return this.#desk.poll(this.#tenant, answers.length > 0 ? { ...request, answers: answers.map(parse) } : request, signal);
  }

  answer(answers: readonly string[]): Promise<readonly AnswerReceipt[]> {
    return this.#desk.answer(this.#tenant, answers.map(parse));
  }

  heartbeat(requests: readonly HeartbeatRequest[]): Promise<readonly HeartbeatResponse[]> {
    return this.#desk.heartbeat(this.#tenant, requests);
  }

  async close(): Promise<void> {
    // Nothing is open.
  }
}
