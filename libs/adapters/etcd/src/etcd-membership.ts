import type { Clock } from '@perdure/clock';
import { PerdureError } from '@perdure/contract';
import { Membership, type MeshNode } from '@perdure/delivery';
import { EtcdGateway } from './etcd-gateway.js';
import { ETCD_LIMITS, type EtcdLimits } from './etcd-limits.js';
import type { EtcdSecurity } from './etcd-security.js';
import { NodeList } from './node-list.js';
import { Registration } from './registration.js';

export interface EtcdMembershipOptions {
  /** `host:port`, which is in the clear, or URLs. */
  readonly endpoints: readonly string[];
  /** Keeps this mesh's keys apart from others' in the same etcd. */
  readonly prefix: string;
  /** Default: as nobody. */
  readonly security?: EtcdSecurity;
  readonly clock: Clock;
  /** In [0, 1). */
  readonly random: () => number;
  readonly limits?: Partial<EtcdLimits>;
  /** etcd is away or has refused something; told once until it is back. It is tried on and on. */
  readonly trouble?: (error: PerdureError) => void;
}

/** Which nodes there are, by etcd: each holds its place on the list by a lease, and all follow the list by a watch. */
export class EtcdMembership extends Membership {
  readonly #options: EtcdMembershipOptions;
  readonly #limits: EtcdLimits;
  readonly #gateway: EtcdGateway;
  readonly #list: NodeList;
  #registration: Registration | undefined;

  private constructor(options: EtcdMembershipOptions, parts: { readonly limits: EtcdLimits; readonly gateway: EtcdGateway; readonly list: NodeList }) {
    super();
    this.#options = options;
    this.#limits = parts.limits;
    this.#gateway = parts.gateway;
    this.#list = parts.list;
  }

  /** @throws PerdureError `unavailable` when etcd is not to be reached within `connectWithinMs` */
  static async connect(options: EtcdMembershipOptions): Promise<EtcdMembership> {
    const { endpoints, prefix, security = {}, clock, random, trouble = () => undefined } = options;
    const limits = { ...ETCD_LIMITS, ...options.limits };
    const gateway = new EtcdGateway(endpoints, { limits, security });
    try {
      const list = await NodeList.open({ gateway, prefix: nodesUnder(prefix), clock, random, limits, trouble });
      return new EtcdMembership(options, { limits, gateway, list });
    } catch (thrown) {
      await gateway.close();
      throw thrown;
    }
  }

  override async join(node: MeshNode): Promise<void> {
    if (this.#registration) throw new PerdureError('internal', 'A node joins once.');
    const { prefix, clock, random, trouble } = this.#options;
    this.#registration = new Registration({ gateway: this.#gateway, key: `${nodesUnder(prefix)}${node.id}`, node, isListed: () => this.#list.nodes.some(({ id }) => id === node.id), clock, random, limits: this.#limits, trouble: (error) => trouble?.(error), unreached: () => this.#list.suspect() });
    await this.#registration.registered;
  }

  override nodes(service: MeshNode['service']): readonly MeshNode[] {
    return this.#list.nodes.filter((node) => node.service === service).sort((a, b) => (a.id < b.id ? -1 : 1));
  }

  override onChange(listener: () => void): () => void {
    return this.#list.onChange(listener);
  }

  override async leave(): Promise<void> {
    const registration = this.#registration;
    this.#registration = undefined;
    await registration?.end();
  }

  /** Leaves, and listens no more. */
  async close(): Promise<void> {
    await this.leave();
    await this.#list.close();
    await this.#gateway.close();
  }
}

const nodesUnder = (prefix: string): string => `${prefix}/nodes/`;
