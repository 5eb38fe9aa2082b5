import { isPerdureError, PerdureError } from '@perdure/contract';
import { Agent, request } from 'undici';
import { MESH_LIMITS } from '../mesh-limits.js';
import { fromProblem } from './from-problem.js';

export interface CallOptions {
  readonly timeoutMs: number;
  readonly signal?: AbortSignal | undefined;
}

/** Says that a node has been asked by another node, so that nothing is sent round in circles. */
export const FORWARDED_HEADER = 'perdure-forwarded';
/** What Dapr's sidecar shows its app, and nodes show each other. */
export const TOKEN_HEADER = 'dapr-api-token';

/** Calls one very node, where a sidecar would choose any of its service. */
export class NodeCalls {
  // A poll holds its connection for as long as it waits.
  readonly #agent = new Agent({ connections: MESH_LIMITS.nodeConnectionsMax, pipelining: 1, keepAliveTimeout: 30_000, connectTimeout: 2_000 });
  readonly #token: string;

  constructor(token: string) {
    this.#token = token;
  }

  /** `path` without its first slash. @throws PerdureError as the node answered it, or `unavailable` */
  async post(address: string, path: string, { body, timeoutMs, signal }: CallOptions & { readonly body: unknown }): Promise<unknown> {
    try {
      const response = await request(`http://${address}/${path}`, {
        method: 'POST', dispatcher: this.#agent, headersTimeout: timeoutMs, bodyTimeout: timeoutMs, ...(signal ? { signal } : {}), body: JSON.stringify(body),
        headers: { 'content-type': 'application/json', [TOKEN_HEADER]: this.#token, [FORWARDED_HEADER]: '1' },
      });
      const text = await response.body.text();
      if (response.statusCode >= 400) throw fromProblem(response.statusCode, text);
      return text === '' ? undefined : (JSON.parse(text) as unknown);
    } catch (thrown) {
      throw isPerdureError(thrown) ? thrown : new PerdureError('unavailable', `The node at ${address} does not answer.`, { cause: thrown });
    }
  }

  close(): Promise<void> {
    return this.#agent.close();
  }
}
