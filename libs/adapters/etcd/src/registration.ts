import { toPerdureError, type PerdureError } from '@perdure/contract';
import type { MeshNode } from '@perdure/delivery';
import { isLeaseGone } from './etcd-fault.js';
import type { EtcdGateway } from './etcd-gateway.js';
import type { EtcdLimits } from './etcd-limits.js';
import { Patience, type PatienceOptions } from './patience.js';

export interface RegistrationOptions extends PatienceOptions {
  readonly gateway: Pick<EtcdGateway, 'grant' | 'renew' | 'put' | 'revoke'>;
  readonly key: string;
  readonly node: MeshNode;
  readonly trouble: (error: PerdureError) => void;
  /** A call has failed: whatever waits for etcd may wait for nothing. */
  readonly unreached: () => void;
}

/**
 * Keeps one node on the list, under a lease. While etcd is away the lease is asked for on and on: etcd keeps leases over its own restart, so
 * that nothing changes if it is back in time. Only what etcd says is gone is made anew.
 */
export class Registration {
  readonly #options: RegistrationOptions;
  readonly #limits: EtcdLimits;
  readonly #patience: Patience;
  readonly #registered = Promise.withResolvers<void>();
  readonly #ended: Promise<void>;
  #lease: string | undefined;

  constructor(options: RegistrationOptions) {
    this.#options = options;
    this.#limits = options.limits;
    this.#patience = new Patience(options);
    this.#ended = this.#run();
  }

  /** Resolves once the node is on the list; also when it leaves before. */
  get registered(): Promise<void> {
    return this.#registered.promise;
  }

  async end(): Promise<void> {
    this.#patience.stop();
    await this.#ended;
    this.#registered.resolve();
    if (this.#lease === undefined) return;
    try {
      await this.#options.gateway.revoke(this.#lease);
    } catch (thrown) {
      // The others learn of it when the lease has run out.
      if (!isLeaseGone(thrown)) this.#options.trouble(toPerdureError(thrown));
    }
  }

  async #run(): Promise<void> {
    while (!this.#patience.isStopped) {
      try {
        await this.#step();
        this.#patience.succeeded();
      } catch (thrown) {
        this.#options.unreached();
        if (this.#patience.isFirst) this.#options.trouble(toPerdureError(thrown));
        await this.#patience.afterFailure();
      }
    }
  }

  async #step(): Promise<void> {
    const { gateway, random } = this.#options;
    if (this.#lease === undefined) return this.#register();
    // Spread, so that nodes that started together do not ask together.
    await this.#patience.pause(this.#limits.renewEveryMs * (0.75 + 0.25 * random()));
    if (this.#patience.isStopped || (await gateway.renew(this.#lease))) return;
    this.#lease = undefined;
    await this.#patience.pause(this.#limits.registerAgainWithinMs * random());
  }

  async #register(): Promise<void> {
    const { gateway, key, node } = this.#options;
    const lease = await gateway.grant(this.#limits.leaseTtlMs);
    // Also when the answer to the put is lost: it may have been done, and is revoked with the lease.
    this.#lease = lease;
    try {
      await gateway.put({ key, value: JSON.stringify(node), lease });
    } catch (thrown) {
      if (!this.#patience.isStopped) this.#lease = undefined;
      throw thrown;
    }
    this.#registered.resolve();
  }
}
