import { toFault, type CallOptions, type DaprSidecar } from './dapr-sidecar.js';

export interface Stored {
  readonly value: unknown;
  /** Names this version of the value. */
  readonly etag: string;
}

export interface SaveOptions extends CallOptions {
  /** Only over this version; absent: only if the key has no value yet. */
  readonly etag?: string;
  readonly ttlSeconds?: number;
}

/**
 * Dapr's state, with optimistic concurrency and nothing else: what the components have in common (`components.md`, state).
 *
 * 1. First writer wins: there is no save that does not say what it replaces.
 * 2. No transactions: over Redis they are none.
 * 3. The answers of a conflict differ by component (409, or 500 for a key that exists already), so a save that failed in a way that may
 *    be one is settled by reading the key.
 */
export class DaprState {
  readonly #sidecar: Pick<DaprSidecar, 'call'>;
  readonly #path: string;

  constructor(sidecar: Pick<DaprSidecar, 'call'>, store = 'statestore') {
    this.#sidecar = sidecar;
    this.#path = `/v1.0/state/${store}`;
  }

  /** @throws PerdureError */
  async get(key: string, options: CallOptions = {}): Promise<Stored | undefined> {
    const answer = await this.#sidecar.call({ ...options, verb: 'GET', path: `${this.#keyPath(key)}?consistency=strong` });
    if (answer.status === 204) return undefined;
    if (!answer.isSuccess) throw toFault(answer, `"${key}" could not be read`);
    return { value: answer.json(), etag: String(answer.headers['etag'] ?? '') };
  }

  /** `false`: another was first (or this very write, if its answer was lost within the sidecar: the value tells). @throws PerdureError */
  async save(key: string, value: unknown, { etag, ttlSeconds, ...options }: SaveOptions = {}): Promise<boolean> {
    const item = {
      key,
      value,
      ...(etag === undefined ? {} : { etag }),
      options: { concurrency: 'first-write', consistency: 'strong' },
      ...(ttlSeconds === undefined ? {} : { metadata: { ttlInSeconds: String(ttlSeconds) } }),
    };
    const answer = await this.#sidecar.call({ ...options, verb: 'POST', path: this.#path, body: [item] });
    if (answer.isSuccess) return true;
    if (answer.status === 409 || (await this.#isOther(key, etag, options))) return false;
    throw toFault(answer, `"${key}" could not be saved`);
  }

  /** `false`: it is another version now, or gone. @throws PerdureError */
  async delete(key: string, etag: string, options: CallOptions = {}): Promise<boolean> {
    const answer = await this.#sidecar.call({ ...options, verb: 'DELETE', path: `${this.#keyPath(key)}?concurrency=first-write&consistency=strong`, headers: { 'if-match': etag, ...options.headers } });
    if (answer.isSuccess) return true;
    if (answer.status === 409 || (await this.#isOther(key, etag, options))) return false;
    throw toFault(answer, `"${key}" could not be deleted`);
  }

  /** Whether the key has another version than the one that was to be replaced. @throws PerdureError */
  async #isOther(key: string, etag: string | undefined, options: CallOptions): Promise<boolean> {
    return (await this.get(key, options))?.etag !== etag;
  }

  #keyPath(key: string): string {
    return `${this.#path}/${encodeURIComponent(key)}`;
  }
}
