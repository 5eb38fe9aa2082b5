import { Agent, request, type Dispatcher } from 'undici';
import { EtcdFault, isTokenRefused } from './etcd-fault.js';
import type { EtcdLimits } from './etcd-limits.js';
import type { EtcdSecurity, EtcdUser } from './etcd-security.js';

/** A change under the prefix; `value` is absent when the key is gone. */
export interface EtcdChange {
  readonly key: string;
  readonly value?: string;
}

export interface EtcdList {
  /** Of the whole of etcd: a watch from the next one misses nothing. */
  readonly revision: bigint;
  readonly entries: ReadonlyMap<string, string>;
}

interface KeyValue {
  readonly key: string;
  readonly value?: string;
}

/** What of etcd's answers is read; as in all JSON of protobuf, zeros and empty fields are left out, and 64-bit numbers are strings. */
interface Answer {
  readonly header?: { readonly revision?: string };
  readonly ID?: string;
  readonly token?: string;
  readonly kvs?: readonly KeyValue[];
  readonly result?: { readonly TTL?: string };
  readonly message?: string;
  readonly code?: number;
}

interface WatchLine {
  readonly error?: { readonly message?: string; readonly grpc_code?: number };
  readonly result?: {
    readonly canceled?: boolean;
    readonly compact_revision?: string;
    readonly cancel_reason?: string;
    readonly events?: readonly { readonly type?: 'DELETE'; readonly kv: KeyValue }[];
  };
}

const toBase64 = (text: string): string => Buffer.from(text).toString('base64');
const fromBase64 = (text: string): string => Buffer.from(text, 'base64').toString();

/** The key behind all that begin with `prefix`. */
const endOf = (prefix: string): string => {
  const bytes = Buffer.from(prefix);
  bytes[bytes.length - 1]! += 1;
  return bytes.toString('base64');
};

/**
 * etcd's JSON gateway, which every etcd since 3.4 serves on its client port. After a failure the next call goes to the next endpoint.
 */
export class EtcdGateway {
  readonly #user: EtcdUser | undefined;
  readonly #endpoints: readonly string[];
  readonly #limits: EtcdLimits;
  /** A watch may say nothing for as long as nothing changes. */
  readonly #agent: Agent;
  #turn = 0;
  /** Of the user, and good for every endpoint, until etcd forgets it. */
  #token: string | undefined;

  constructor(endpoints: readonly string[], { limits, security: { tls = {}, user } }: { readonly limits: EtcdLimits; readonly security: EtcdSecurity }) {
    this.#user = user;
    this.#endpoints = endpoints.map((endpoint) => (endpoint.includes('://') ? endpoint : `http://${endpoint}`));
    this.#limits = limits;
    // HTTP/1.1 by TLS too: what cuts a session of HTTP/2 would cut the watch and every call with it, and undici then does not say why.
    this.#agent = new Agent({ allowH2: false, bodyTimeout: 0, headersTimeout: limits.callTimeoutMs, connect: { timeout: limits.callTimeoutMs, keepAlive: true, ...tls } });
  }

  async grant(ttlMs: number): Promise<string> {
    const { ID } = await this.#call('/v3/lease/grant', { TTL: String(Math.ceil(ttlMs / 1_000)) });
    if (ID === undefined) throw new EtcdFault('etcd granted no lease.');
    return ID;
  }

  /** Whether the lease still was. */
  async renew(lease: string): Promise<boolean> {
    const { result } = await this.#call('/v3/lease/keepalive', { ID: lease });
    return Number(result?.TTL ?? 0) > 0;
  }

  async revoke(lease: string): Promise<void> {
    await this.#call('/v3/lease/revoke', { ID: lease });
  }

  /** @throws EtcdFault; `isLeaseGone` says whether for the lease */
  async put({ key, value, lease }: { readonly key: string; readonly value: string; readonly lease: string }): Promise<void> {
    await this.#call('/v3/kv/put', { key: toBase64(key), value: toBase64(value), lease });
  }

  async list(prefix: string): Promise<EtcdList> {
    const { header, kvs = [] } = await this.#call('/v3/kv/range', { key: toBase64(prefix), range_end: endOf(prefix) });
    if (header?.revision === undefined) throw new EtcdFault('etcd named no revision.');
    return { revision: BigInt(header.revision), entries: new Map(kvs.map(({ key, value = '' }) => [fromBase64(key), fromBase64(value)])) };
  }

  /** The changes from `revision` on, as they come together. It ends when etcd ends it, also when the revision was compacted away. */
  async *watch(prefix: string, { revision, signal }: { readonly revision: bigint; readonly signal: AbortSignal }): AsyncGenerator<readonly EtcdChange[]> {
    const body = { create_request: { key: toBase64(prefix), range_end: endOf(prefix), start_revision: String(revision) } };
    for await (const line of this.#lines(await this.#post('/v3/watch', body, signal))) {
      const { error, result } = JSON.parse(line) as WatchLine;
      if (error) throw new EtcdFault(`etcd ended the watch: ${error.message}`);
      if (result?.canceled) return;
      const events = result?.events ?? [];
      if (events.length > 0) yield events.map(({ type, kv }) => (type === 'DELETE' ? { key: fromBase64(kv.key) } : { key: fromBase64(kv.key), value: fromBase64(kv.value ?? '') }));
    }
  }

  async close(): Promise<void> {
    await this.#agent.destroy();
  }

  async #call(path: string, body: object): Promise<Answer> {
    const answer = await this.#post(path, body, AbortSignal.timeout(this.#limits.callTimeoutMs));
    try {
      return (await answer.body.json()) as Answer;
    } catch (thrown) {
      throw this.#unreachable(path, thrown);
    }
  }

  async #post(path: string, body: object, signal: AbortSignal): Promise<Dispatcher.ResponseData> {
    try {
      return await this.#postOnce(path, body, signal);
    } catch (thrown) {
      if (!this.#user || !isTokenRefused(thrown)) throw thrown;
      // etcd keeps tokens in memory, for minutes: another one will do.
      this.#token = undefined;
      return this.#postOnce(path, body, signal);
    }
  }

  async #postOnce(path: string, body: object, signal: AbortSignal): Promise<Dispatcher.ResponseData> {
    if (this.#user) this.#token ??= await this.#authenticate(this.#user, signal);
    return this.#accepted(path, await this.#request(path, body, signal));
  }

  async #authenticate({ name, password }: EtcdUser, signal: AbortSignal): Promise<string> {
    const path = '/v3/auth/authenticate';
    const answer = await this.#accepted(path, await this.#request(path, { name, password }, signal));
    const { token } = (await answer.body.json()) as Answer;
    if (token === undefined) throw new EtcdFault('etcd gave no token.');
    return token;
  }

  async #accepted(path: string, answer: Dispatcher.ResponseData): Promise<Dispatcher.ResponseData> {
    if (answer.statusCode === 200) return answer;
    const text = await answer.body.text();
    const { message, code } = toRefusal(text);
    // Somebody who answers that etcd is not there is as good as nobody.
    if (answer.statusCode >= 500) this.#turn += 1;
    throw new EtcdFault(`etcd answered ${path} with ${answer.statusCode}: ${message}`, code === undefined ? {} : { grpcCode: code });
  }

  async #request(path: string, body: object, signal: AbortSignal): Promise<Dispatcher.ResponseData> {
    const url = `${this.#endpoints[this.#turn % this.#endpoints.length]}${path}`;
    try {
      return await request(url, { method: 'POST', body: JSON.stringify(body), headers: { 'content-type': 'application/json', ...(this.#token === undefined ? {} : { authorization: this.#token }) }, dispatcher: this.#agent, signal });
    } catch (thrown) {
      throw this.#unreachable(path, thrown);
    }
  }

  #unreachable(path: string, thrown: unknown): EtcdFault {
    const endpoint = this.#endpoints[this.#turn % this.#endpoints.length];
    this.#turn += 1;
    return new EtcdFault(`etcd at ${endpoint} did not answer ${path}: ${thrown instanceof Error ? thrown.message : String(thrown)}`, { cause: thrown });
  }

  async *#lines({ body }: Dispatcher.ResponseData): AsyncGenerator<string> {
    const decoder = new TextDecoder();
    let rest = '';
    for await (const chunk of this.#chunks(body)) {
      const lines = (rest + decoder.decode(chunk, { stream: true })).split('\n');
      rest = lines.pop()!;
      if (rest.length > this.#limits.watchLineBytesMax) throw new EtcdFault('etcd sent a line that is over its limit.');
      yield* lines.filter((line) => line !== '');
    }
  }

  async *#chunks(body: AsyncIterable<Uint8Array>): AsyncGenerator<Uint8Array> {
    try {
      yield* body;
    } catch (thrown) {
      throw this.#unreachable('/v3/watch', thrown);
    }
  }
}

function toRefusal(text: string): { readonly message: string; readonly code?: number } {
  try {
    const { message, code } = JSON.parse(text) as Answer;
    return { message: message ?? text, ...(code === undefined ? {} : { code }) };
  } catch {
    // A proxy's page, not etcd's answer: its text says what there is to say.
    return { message: text.slice(0, 200) };
  }
}
