import type { GivenServers, MeshService, WayEnd } from '@perdure/mesh-launcher';
import { type Link, type ServerProcess, Toxiproxy } from '@perdure/servers';
import { Draws } from '../program/draws.js';
import { CuttingProxy } from './cutting-proxy.js';

/** What Kafka tells its clients of its address cannot be led through a link. */
const LINKED = { postgres: 'PERDURE_POSTGRES', etcd: 'PERDURE_ETCD' } as const;

/**
 * The ways between the processes of a mesh, so that each can be disturbed by itself: from a node to its servers and to its sidecar by links that may be
 * cut or slowed in one direction, and to a node, for its sidecar and for other nodes, by proxies that refuse some requests and cut some answers.
 */
export class BreakableWays {
  readonly links: Link[] = [];
  readonly deliveries: CuttingProxy[] = [];
  readonly #process: ServerProcess;
  readonly #toxiproxy: Toxiproxy;
  readonly #seed: number;

  constructor(process: ServerProcess, seed: number) {
    this.#process = process;
    this.#toxiproxy = new Toxiproxy(process.address);
    this.#seed = seed;
  }

  /** The environment of a node that finds its servers by links of its own. */
  async toServers({ service, index }: { readonly service: MeshService; readonly index: number }, servers: Readonly<Record<keyof GivenServers, string>>): Promise<Readonly<Record<string, string>>> {
    const env: Record<string, string> = {};
    for (const [server, variable] of Object.entries(LINKED) as [keyof typeof LINKED, string][]) {
      const address = servers[server];
      const to = address.includes('://') ? new URL(address).host : address;
      env[variable] = address.replace(to, (await this.#link(`${service}-${index} to ${server}`, to)).address);
    }
    return env;
  }

  async to({ node, end, port }: WayEnd): Promise<number> {
    if (end === 'sidecar') return Number((await this.#link(`${node} to its sidecar`, `127.0.0.1:${port}`)).address.split(':')[1]);
    const proxy = new CuttingProxy(port, new Draws(this.#seed + 201 + this.deliveries.length));
    this.deliveries.push(proxy);
    await proxy.listen();
    return proxy.port;
  }

  async close(): Promise<void> {
    await Promise.all(this.deliveries.map((proxy) => proxy.close()));
    await this.#process.stop();
  }

  async #link(name: string, to: string): Promise<Link> {
    const link = await this.#toxiproxy.link({ name: name.replaceAll(' ', '-'), to });
    this.links.push(link);
    return link;
  }
}
