import { Agent, request as undiciRequest, type Dispatcher } from 'undici';

export interface HttpRequest {
  readonly method: 'GET' | 'POST' | 'DELETE';
  /** Begins with `/`. */
  readonly path: string;
  readonly headers: Readonly<Record<string, string>>;
  /** JSON text. */
  readonly body?: string;
  readonly signal?: AbortSignal;
}

export interface HttpAnswer {
  readonly status: number;
  readonly body: string;
  /** Seconds, if the server asked to wait before the next try. */
  readonly retryAfterS?: number;
}

/** One HTTP exchange; rejects when no answer came. */
export type Transport = (request: HttpRequest) => Promise<HttpAnswer>;

/** Longer than any long poll of the server. */
const ANSWER_TIMEOUT_MS = 120_000;

/** Keep-alive connections through undici, which costs a fraction of `fetch`. */
export const createTransport = (url: string): { readonly send: Transport; close(): Promise<void> } => {
  const base = new URL(url);
  const prefix = base.pathname.replace(/\/$/, '');
  const agent = new Agent({ headersTimeout: ANSWER_TIMEOUT_MS, bodyTimeout: ANSWER_TIMEOUT_MS, connections: 512, keepAliveTimeout: 30_000 });
  const send: Transport = async ({ method, path, headers, body, signal }) => {
    const options: { dispatcher: Dispatcher; method: 'GET' | 'POST' | 'DELETE'; headers: Record<string, string>; body?: string; signal?: AbortSignal } = { dispatcher: agent, method, headers };
    if (body !== undefined) options.body = body;
    if (signal) options.signal = signal;
    const answer = await undiciRequest(`${base.origin}${prefix}${path}`, options);
    const text = await answer.body.text();
    const retryAfter = Number(answer.headers['retry-after']);
    return { status: answer.statusCode, body: text, ...(Number.isFinite(retryAfter) ? { retryAfterS: retryAfter } : {}) };
  };
  return { send, close: () => agent.close() };
};
