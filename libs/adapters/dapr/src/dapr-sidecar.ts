import type { Clock } from '@perdure/clock';
import { PerdureError } from '@perdure/contract';
import { Pool, type Dispatcher } from 'undici';
import { DaprAnswer } from './dapr-answer.js';
import { DAPR_LIMITS } from './dapr-limits.js';

export interface DaprSidecarOptions {
  readonly host: string;
  readonly httpPort: number;
  /** `DAPR_API_TOKEN`, where the sidecar wants one. */
  readonly apiToken?: string;
  readonly clock: Clock;
  readonly callTimeoutMs?: number;
  readonly callsMax?: number;
}

export interface CallOptions {
  readonly headers?: Readonly<Record<string, string>>;
  /** Gives the call up. */
  readonly signal?: AbortSignal;
  readonly timeoutMs?: number;
}

export interface InvokeTarget {
  readonly appId: string;
  /** Path and query, without the slash before it. */
  readonly method: string;
  /** Default POST. */
  readonly verb?: Dispatcher.HttpMethod;
}

export interface BulkEvent {
  /** A value that is sent as JSON, or its text. */
  readonly event: unknown;
  readonly partitionKey?: string;
}

interface Call extends CallOptions {
  readonly verb: Dispatcher.HttpMethod;
  readonly path: string;
  /** A text or bytes are sent as they are, anything else as JSON. */
  readonly body?: unknown;
}

/**
 * The sidecar of this process, over HTTP.
 *
 * 1. No call waits for ever: each has a deadline, and what passes it was perhaps done all the same.
 * 2. No error is silent: what neither the app behind it nor the sidecar has answered throws, and so does a refusal of the sidecar's own.
 * 3. Connections are kept and used again; no more than `callsMax` are open.
 */
export class DaprSidecar {
  readonly #pool: Pool;
  readonly #clock: Clock;
  readonly #apiToken: string | undefined;
  readonly #callTimeoutMs: number;
  readonly #callsMax: number;
  #calls = 0;

  constructor({ host, httpPort, apiToken, clock, callTimeoutMs = DAPR_LIMITS.callTimeoutMs, callsMax = DAPR_LIMITS.callsMax }: DaprSidecarOptions) {
    this.#clock = clock;
    this.#apiToken = apiToken;
    this.#callTimeoutMs = callTimeoutMs;
    this.#callsMax = callsMax;
    // The deadline of each call is its own: a long poll is silent for longer than undici would wait.
    this.#pool = new Pool(`http://${host}:${httpPort}`, { connections: null, pipelining: 1, headersTimeout: 0, bodyTimeout: 0, connect: { timeout: DAPR_LIMITS.connectTimeoutMs } });
  }

  /**
   * Calls another app. Its status and body come back as they are, also when they say no.
   * @throws PerdureError `unavailable` (retryable; it was perhaps done), `forbidden`, `payload-too-large`, `overloaded`
   */
  async invoke({ appId, method, verb = 'POST' }: InvokeTarget, body?: unknown, options: CallOptions = {}): Promise<DaprAnswer> {
    const answer = await this.call({ ...options, verb, path: `/v1.0/invoke/${encodeURIComponent(appId)}/method/${method}`, body });
    if (answer.sidecarError) throw toFault(answer, `${appId} could not be called`);
    return answer;
  }

  /** @throws PerdureError */
  async publish({ pubsub, topic }: { readonly pubsub: string; readonly topic: string }, { event, partitionKey }: BulkEvent, options: CallOptions = {}): Promise<void> {
    const query = partitionKey === undefined ? '' : `?metadata.partitionKey=${encodeURIComponent(partitionKey)}`;
    const body = typeof event === 'string' ? event : JSON.stringify(event);
    this.#expectSuccess(await this.call({ ...options, verb: 'POST', path: `/v1.0/publish/${pubsub}/${topic}${query}`, body, headers: { ...JSON_BODY, ...options.headers } }), `nothing was published to ${topic}`);
  }

  /** @throws PerdureError also when only some of them failed */
  async publishBulk({ pubsub, topic }: { readonly pubsub: string; readonly topic: string }, events: readonly BulkEvent[], options: CallOptions = {}): Promise<void> {
    const entries = events.map(({ event, partitionKey }, index) => {
      const metadata = partitionKey === undefined ? '' : `,"metadata":{"partitionKey":${JSON.stringify(partitionKey)}}`;
      return `{"entryId":"${index}","contentType":"application/json","event":${typeof event === 'string' ? event : JSON.stringify(event)}${metadata}}`;
    });
    this.#expectSuccess(await this.call({ ...options, verb: 'POST', path: `/v1.0/publish/bulk/${pubsub}/${topic}`, body: `[${entries.join(',')}]`, headers: { ...JSON_BODY, ...options.headers } }), `not all was published to ${topic}`);
  }

  /** Whether calls to others, publishing and state work; it does not ask whether this app's own port is open. */
  async ready(): Promise<boolean> {
    return (await this.#health())?.isSuccess ?? false;
  }

  /** Whether it is there at all, ready or not. */
  async answers(): Promise<boolean> {
    return (await this.#health()) !== undefined;
  }

  /** Asks the sidecar to end itself, after what it has in hand. @throws PerdureError */
  async shutdown(): Promise<void> {
    this.#expectSuccess(await this.call({ verb: 'POST', path: '/v1.0/shutdown' }), 'the sidecar does not end');
  }

  /** Ends its connections after what is under way. */
  async close(): Promise<void> {
    await this.#pool.close();
  }

  /** Any other call of Dapr's HTTP API. @throws PerdureError `unavailable`, `overloaded` */
  async call({ verb, path, body, headers, signal, timeoutMs = this.#callTimeoutMs }: Call): Promise<DaprAnswer> {
    if (this.#calls >= this.#callsMax) throw new PerdureError('overloaded', `${this.#callsMax} calls to the sidecar are open.`);
    this.#calls += 1;
    const given = new AbortController();
    const cancel = this.#clock.at(this.#clock.now() + timeoutMs, () => given.abort(new PerdureError('unavailable', `No answer of the sidecar within ${timeoutMs} ms.`)));
    try {
      const { statusCode, headers: answered, body: stream } = await this.#pool.request({
        method: verb,
        path,
        headers: this.#headers(body, headers),
        body: toBody(body),
        signal: signal ? AbortSignal.any([given.signal, signal]) : given.signal,
      });
      return new DaprAnswer({ status: statusCode, headers: answered, body: Buffer.from(await stream.arrayBuffer()) });
    } catch (cause) {
      if (given.signal.aborted) throw given.signal.reason;
      throw new PerdureError('unavailable', `${verb} ${path.split('?')[0]} at the sidecar: ${(cause as Error).message}`, { cause });
    } finally {
      cancel();
      this.#calls -= 1;
    }
  }

  async #health(): Promise<DaprAnswer | undefined> {
    try {
      return await this.call({ verb: 'GET', path: '/v1.0/healthz/outbound', timeoutMs: DAPR_LIMITS.connectTimeoutMs });
    } catch {
      // Not to be reached is an answer to this question.
      return undefined;
    }
  }

  #headers(body: unknown, headers: CallOptions['headers']): Record<string, string> {
    const isValue = body !== undefined && !Buffer.isBuffer(body) && typeof body !== 'string';
    return { ...(isValue ? JSON_BODY : {}), ...(this.#apiToken === undefined ? {} : { 'dapr-api-token': this.#apiToken }), ...headers };
  }

  #expectSuccess(answer: DaprAnswer, what: string): void {
    if (!answer.isSuccess) throw toFault(answer, what);
  }
}

const JSON_BODY = { 'content-type': 'application/json' } as const;

const toBody = (body: unknown): string | Buffer | null => {
  if (body === undefined) return null;
  return typeof body === 'string' || Buffer.isBuffer(body) ? body : JSON.stringify(body);
};

/** gRPC between sidecars and HTTP before them each have their words for it. */
const isTooLarge = ({ status, text }: DaprAnswer): boolean => status === 413 || /larger than max|body size/i.test(text);

/** The sidecar's refusal as one of our errors. */
export const toFault = (answer: DaprAnswer, what: string): PerdureError => {
  const { status } = answer;
  const error = answer.sidecarError;
  const message = `${what}: ${error ? `${error.errorCode} ${error.message}` : `status ${status} ${answer.text.slice(0, 500)}`}`;
  if (isTooLarge(answer)) return new PerdureError('payload-too-large', message);
  if (status === 401 || status === 403) return new PerdureError('forbidden', message);
  // A component that is not there, a name that cannot be: waiting will not mend it.
  if (status < 500) return new PerdureError('internal', message);
  return new PerdureError('unavailable', message);
};
