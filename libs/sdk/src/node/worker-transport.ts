import type { AnswerReceipt, HeartbeatRequest, HeartbeatResponse, PollRequest, PollResponse } from '@perdure/contract';

/** A poll is given up for this when its answer is so late that its connection must be half open: the next goes over another. */
export class PollLost extends Error {}

/** How a worker reaches its scheduler. Everything may reject; a `PerdureError` that is not `retryable` is final. */
export interface WorkerTransport {
  poll(request: PollRequest, signal: AbortSignal): Promise<PollResponse>;
  /** Each answer is the JSON of a `TaskAnswer`: values are serialised once, where a fault can still be told apart. */
  answer(answers: readonly string[]): Promise<readonly AnswerReceipt[]>;
  heartbeat(requests: readonly HeartbeatRequest[]): Promise<readonly HeartbeatResponse[]>;
  close(): Promise<void>;
}
