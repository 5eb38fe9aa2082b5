import { PerdureError, type AnswerReceipt, type HeartbeatRequest, type HeartbeatResponse, type PollRequest, type PollResponse } from '@perdure/contract';
import { toError } from '../client/api.js';
import { createTransport } from '../client/transport.js';
import type { WorkerTransport } from './worker-transport.js';

export interface HttpWorkerOptions {
  readonly url: string;
  readonly tenant?: string;
  readonly apiKey?: string;
}

/** The scheduler's HTTP API over keep-alive connections. */
export class HttpWorkerTransport implements WorkerTransport {
  readonly #http: ReturnType<typeof createTransport>;
  readonly #headers: Readonly<Record<string, string>>;

  constructor({ url, tenant, apiKey }: HttpWorkerOptions) {
    this.#http = createTransport(url);
    this.#headers = { 'content-type': 'application/json', ...(apiKey ? { authorization: `Bearer ${apiKey}` } : {}), ...(tenant ? { 'perdure-tenant': tenant } : {}) };
  }

  poll(request: PollRequest, signal: AbortSignal): Promise<PollResponse> {
    return this.#post<PollResponse>('/v1/tasks/poll', JSON.stringify(request), signal);
  }

  async answer(answers: readonly string[]): Promise<readonly AnswerReceipt[]> {
    return (await this.#post<{ receipts: AnswerReceipt[] }>('/v1/tasks/answers', `{"answers":[${answers.join(',')}]}`)).receipts;
  }

  async heartbeat(heartbeats: readonly HeartbeatRequest[]): Promise<readonly HeartbeatResponse[]> {
    return (await this.#post<{ responses: HeartbeatResponse[] }>('/v1/tasks/heartbeats', JSON.stringify({ heartbeats }))).responses;
  }

  close(): Promise<void> {
    return this.#http.close();
  }

  async #post<Answer>(path: string, body: string, signal?: AbortSignal): Promise<Answer> {
    const answer = await this.#http.send({ method: 'POST', path, headers: this.#headers, body, ...(signal ? { signal } : {}) }).catch((error: unknown) => {
      throw new PerdureError('unavailable', `No answer from the server: ${error instanceof Error ? error.message : String(error)}`, { cause: error });
    });
    if (answer.status >= 400) {
      const error = toError(answer);
      throw answer.status >= 500 || answer.status === 429 ? new PerdureError(error.code, error.message, { retryable: true }) : error;
    }
    return JSON.parse(answer.body) as Answer;
  }
}
