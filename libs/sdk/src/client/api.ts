import { setTimeout as sleep } from 'node:timers/promises';
import { PerdureError, PROBLEMS, type ProblemCode } from '@perdure/contract';
import { losslessJson } from '../common/lossless-json.js';
import type { HttpAnswer, HttpRequest, Transport } from './transport.js';

export interface ApiOptions {
  readonly send: Transport;
  readonly apiKey?: string;
  readonly tenant?: string;
  /** How long a request is tried again after network errors, 429 and 503, milliseconds. */
  readonly retryForMs: number;
  readonly now?: () => number;
  readonly random?: () => number;
}

export interface Call {
  readonly method: 'GET' | 'POST' | 'DELETE';
  readonly path: string;
  readonly body?: unknown;
  readonly headers?: Readonly<Record<string, string>>;
  readonly signal?: AbortSignal;
}

// Full jitter, after https://aws.amazon.com/blogs/architecture/exponential-backoff-and-jitter/
const BACKOFF_FIRST_MS = 50;
const BACKOFF_MAX_MS = 5_000;

/** Accepted: on disk, and not decided yet. */
const DURABLE_ONLY = 202;

/** Sends a request until it is answered for good. Every request carries its own id, so sending it again changes nothing. */
export class Api {
  readonly #options: ApiOptions;
  readonly #headers: Readonly<Record<string, string>>;
  readonly #now: () => number;
  readonly #random: () => number;

  constructor(options: ApiOptions) {
    this.#options = options;
    this.#headers = { ...(options.apiKey ? { authorization: `Bearer ${options.apiKey}` } : {}), ...(options.tenant ? { 'perdure-tenant': options.tenant } : {}) };
    this.#now = options.now ?? Date.now;
    this.#random = options.random ?? Math.random;
  }

  /** @throws PerdureError with the server's code; the network's own error when there was no answer within `retryForMs` */
  async call<Answer>(call: Call): Promise<Answer> {
    return toBody(await this.#answered(call));
  }

  /**
   * As `call`, for an input whose body carries its id: 202 says that it is durable, not what became of it, so it is sent again until that is known,
   * however long it takes. The server holds each of these requests open for a while.
   */
  async decide<Answer>(call: Call): Promise<Answer> {
    for (let tries = 0; ; tries++) {
      const answer = await this.#answered(call);
      if (answer.status !== DURABLE_ONLY) return toBody(answer);
      await this.#pause(call, tries);
    }
  }

  async #answered(call: Call): Promise<HttpAnswer> {
    const request = this.#toRequest(call);
    const giveUpAt = this.#now() + this.#options.retryForMs;
    for (let tries = 0; ; tries++) {
      const answer = await this.#options.send(request).catch((error: unknown) => {
        if (call.signal?.aborted || isClosed(error) || this.#now() >= giveUpAt) throw error;
        return undefined;
      });
      if (answer && answer.status < 400) return answer;
      if (answer && ((answer.status !== 503 && answer.status !== 429) || this.#now() >= giveUpAt)) throw toError(answer);
      await this.#pause(call, tries, answer?.retryAfterS);
    }
  }

  async #pause({ signal }: Call, tries: number, retryAfterS = 0): Promise<void> {
    const backoffMs = this.#random() * Math.min(BACKOFF_MAX_MS, BACKOFF_FIRST_MS * 2 ** Math.min(tries, 10));
    await sleep(Math.max(backoffMs, this.#random() * retryAfterS * 1000), undefined, signal ? { signal } : {});
  }

  #toRequest({ method, path, body, headers, signal }: Call): HttpRequest {
    return {
      method,
      path,
      headers: { ...this.#headers, ...(body === undefined ? {} : { 'content-type': 'application/json' }), ...headers },
      ...(body === undefined ? {} : { body: bodyJson(body) }),
      ...(signal ? { signal } : {}),
    };
  }
}

const bodyJson = (body: unknown): string => {
  try {
    return losslessJson(body);
  } catch (error) {
    throw new TypeError(`The request is not JSON: ${error instanceof Error ? error.message : String(error)}`, { cause: error });
  }
};

/** The client itself was closed: another try would find it so. */
const isClosed = (error: unknown): boolean => error instanceof Error && 'code' in error && (error.code === 'UND_ERR_CLOSED' || error.code === 'UND_ERR_DESTROYED');

const toBody = <Answer>({ body }: HttpAnswer): Answer => (body === '' ? undefined : JSON.parse(body)) as Answer;

const isProblemCode = (code: unknown): code is ProblemCode => typeof code === 'string' && Object.hasOwn(PROBLEMS, code);

/** An error answer as an error. */
export const toError = ({ status, body }: HttpAnswer): PerdureError => {
  let problem: { code?: unknown; detail?: unknown; errors?: unknown } = {};
  try {
    problem = (JSON.parse(body) ?? {}) as typeof problem;
  } catch {
    // Not one of ours: a proxy in between, say. Its status must do.
  }
  const code = isProblemCode(problem.code) ? problem.code : status === 401 ? 'unauthenticated' : status === 404 ? 'unknown-route' : status >= 500 ? 'internal' : 'invalid-request';
  const detail = typeof problem.detail === 'string' ? problem.detail : `The server answered ${status}: ${body.slice(0, 200)}`;
  return new PerdureError(code, detail, problem.errors === undefined ? {} : { errors: problem.errors });
};

/** `?a=1&b=2`, leaving out what is undefined. */
export const queryString = (parameters: Readonly<Record<string, string | number | boolean | undefined>>): string => {
  const given = Object.entries(parameters).filter((entry): entry is [string, string | number | boolean] => entry[1] !== undefined);
  return given.length === 0 ? '' : `?${new URLSearchParams(given.map(([key, value]) => [key, String(value)])).toString()}`;
};
