import { freePort } from './process/ports.js';
import { ServerError } from './server-error.js';

/** Which way the bytes go. */
export type Direction = 'toServer' | 'toClient';

const STREAMS = { toServer: 'upstream', toClient: 'downstream' } as const;

export interface LinkOptions {
  readonly name: string;
  /** host:port of the server it leads to. */
  readonly to: string;
  /** Where clients connect; a free port by default. */
  readonly port?: number;
}

/** The HTTP API of a Toxiproxy server, as far as chaos needs it. */
export class Toxiproxy {
  readonly #address: string;

  constructor(address: string) {
    this.#address = address;
  }

  /** A port of its own through which a server is reached, so that this way to it can be disturbed. */
  async link({ name, to, port }: LinkOptions): Promise<Link> {
    const listen = `127.0.0.1:${port ?? (await freePort())}`;
    await this.call('POST', '/proxies', { name, listen, upstream: to, enabled: true });
    return new Link(this, { name, address: listen });
  }

  /** Mends every link. */
  async heal(): Promise<void> {
    await this.call('POST', '/reset');
  }

  async call(method: string, path: string, body?: object): Promise<void> {
    const response = await fetch(`${this.#address}${path}`, { method, ...(body && { body: JSON.stringify(body) }) });
    if (!response.ok) throw new ServerError(`toxiproxy: ${method} ${path} was answered ${response.status}: ${await response.text()}`);
    await response.arrayBuffer();
  }
}

export class Link {
  readonly name: string;
  /** host:port for clients. */
  readonly address: string;
  readonly #proxy: Toxiproxy;

  constructor(proxy: Toxiproxy, { name, address }: { readonly name: string; readonly address: string }) {
    this.#proxy = proxy;
    this.name = name;
    this.address = address;
  }

  /** Nothing gets through that way, and nobody is told: connections stay open until the link is mended, which ends them. */
  cut(direction: Direction): Promise<void> {
    return this.#disturb(direction, { type: 'timeout', attributes: { timeout: 0 } });
  }

  /** Each piece of data is late by `latencyMs`, give or take `jitterMs`. */
  slow(direction: Direction, { latencyMs, jitterMs = 0 }: { readonly latencyMs: number; readonly jitterMs?: number }): Promise<void> {
    return this.#disturb(direction, { type: 'latency', attributes: { latency: latencyMs, jitter: jitterMs } });
  }

  /** Connections end and new ones are refused, as if the server were down. */
  close(): Promise<void> {
    return this.#proxy.call('POST', `/proxies/${this.name}`, { enabled: false });
  }

  /** Both ways again. */
  async heal(): Promise<void> {
    await this.#proxy.call('POST', `/proxies/${this.name}`, { enabled: true });
    for (const direction of this.#disturbed) await this.#proxy.call('DELETE', `/proxies/${this.name}/toxics/${direction}`);
    this.#disturbed.clear();
  }

  readonly #disturbed = new Set<Direction>();

  async #disturb(direction: Direction, toxic: { readonly type: string; readonly attributes: object }): Promise<void> {
    if (this.#disturbed.has(direction)) await this.#proxy.call('DELETE', `/proxies/${this.name}/toxics/${direction}`);
    await this.#proxy.call('POST', `/proxies/${this.name}/toxics`, { name: direction, stream: STREAMS[direction], toxicity: 1, ...toxic });
    this.#disturbed.add(direction);
  }
}
