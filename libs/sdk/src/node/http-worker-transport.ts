import { SystemClock, type Clock } from '@perdure/clock';
import { PerdureError, type AnswerReceipt, type HeartbeatRequest, type HeartbeatResponse, type PollRequest, type PollResponse } from '@perdure/contract';
import { toError } from '../client/api.js';
import { createTransport, type HttpAnswer } from '../client/transport.js';
import { NoSocket, TaskSocket, type TaskCall } from './task-socket.js';
import type { WorkerTransport } from './worker-transport.js';

export interface HttpWorkerOptions {
  readonly url: string;
  readonly tenant?: string;
  readonly apiKey?: string;
  /** Default: the system's. */
  readonly clock?: Clock;
}

/** A message of more is sent as a request, which is refused in words if it is too long; a socket would close. */
const MESSAGE_CHARS_MAX = 256 * 1024;

/** Where a request is answered and no socket opened, that is tried again so much later: what was in its way may have been replaced. */
const SOCKET_AGAIN_MS = 60_000;

/** The scheduler's API: over one WebSocket where the server opens one, else as requests over keep-alive connections. */
export class HttpWorkerTransport implements WorkerTransport {
  readonly #http: ReturnType<typeof createTransport>;
  readonly #socket: TaskSocket;
  readonly #clock: Clock;
  readonly #headers: Readonly<Record<string, string>>;
  #socketFromMs = 0;

  constructor({ url, tenant, apiKey, clock = new SystemClock() }: HttpWorkerOptions) {
    this.#clock = clock;
    this.#http = createTransport(url);
    const credential = { ...(apiKey ? { authorization: `Bearer ${apiKey}` } : {}), ...(tenant ? { 'perdure-tenant': tenant } : {}) };
    this.#headers = { 'content-type': 'application/json', ...credential };
    this.#socket = new TaskSocket(url, credential);
  }

  poll(request: PollRequest, signal: AbortSignal): Promise<PollResponse> {
    return this.#call<PollResponse>('poll', JSON.stringify(request), signal);
  }

  async answer(answers: readonly string[]): Promise<readonly AnswerReceipt[]> {
    return (await this.#call<{ receipts: AnswerReceipt[] }>('answers', `{"answers":[${answers.join(',')}]}`)).receipts;
  }

  async heartbeat(heartbeats: readonly HeartbeatRequest[]): Promise<readonly HeartbeatResponse[]> {
    return (await this.#call<{ responses: HeartbeatResponse[] }>('heartbeats', JSON.stringify({ heartbeats }))).responses;
  }

  async close(): Promise<void> {
    this.#socket.close();
    await this.#http.close();
  }

  async #call<Answer>(call: TaskCall, body: string, signal?: AbortSignal): Promise<Answer> {
    const answer = await this.#send(call, body, signal).catch((error: unknown) => {
      throw new PerdureError('unavailable', `No answer from the server: ${error instanceof Error ? error.message : String(error)}`, { cause: error });
    });
    if (answer.status >= 400) {
      const error = toError(answer);
      throw answer.status >= 500 || answer.status === 429 ? new PerdureError(error.code, error.message, { retryable: true }) : error;
    }
    return JSON.parse(answer.body) as Answer;
  }

  async #send(call: TaskCall, body: string, signal: AbortSignal | undefined): Promise<HttpAnswer> {
    const request = () => this.#http.send({ method: 'POST', path: `/v1/tasks/${call}`, headers: this.#headers, body, ...(signal ? { signal } : {}) });
    if (body.length > MESSAGE_CHARS_MAX || this.#clock.now() < this.#socketFromMs) return request();
    try {
      return await this.#socket.ask(call, body, signal);
    } catch (error) {
      if (!(error instanceof NoSocket)) throw error;
      const answer = await request();
      // The server is there; it, or something on the way, opens no sockets.
      if (answer.status < 500) this.#socketFromMs = this.#clock.now() + SOCKET_AGAIN_MS;
      return answer;
    }
  }
}
