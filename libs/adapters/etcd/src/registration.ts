import { toPerdureError, type PerdureError } from '@perdure/contract';
import { Backoff, type BackoffOptions, type MeshNode } from '@perdure/delivery';
import { isLeaseGone } from './etcd-fault.js';
import type { EtcdGateway } from './etcd-gateway.js';
import type { EtcdLimits } from './etcd-limits.js';

export interface RegistrationOptions extends BackoffOptions {
  readonly limits: EtcdLimits;
  readonly gateway: Pick<EtcdGateway, 'grant' | 'renew' | 'put' | 'revoke'>;
  readonly key: string;
  readonly node: MeshNode;
  /** Whether the list has the node, as far as is known here. */
  readonly isListed: () => boolean;
  readonly trouble: (error: PerdureError) => void;
  /** A call has failed: whatever waits for etcd may wait for nothing. */
  readonly unreached: () => void;
}

/**
 * Keeps one node on the list, under a lease. While etcd is away the lease is asked for on and on: etcd keeps leases over its own restart, so
 * that nothing changes if it is back in time. Only what etcd says is gone is made anew. A key may be deleted without its lease, by somebody's hand or by what a backup did not have: then it is put again.
 */
export class Registration {
  readonly #options: RegistrationOptions;
  readonly #limits: EtcdLimits;
  readonly #backoff: Backoff;
  readonly #registered = Promise.withResolvers<void>();
  readonly #ended: Promise<void>;
  #lease: string | undefined;

  constructor(options: RegistrationOptions) {
    this.#options = options;
    this.#limits = options.limits;
    this.#backoff = new Backoff(options);
    this.#ended = this.#run();
  }

  /** Resolves once the node is on the list; also when it leaves before. */
  get registered(): Promise<void> {
    return this.#registered.promise;
  }

  async end(): Promise<void> {
    this.#backoff.stop();
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
    while (!this.#backoff.isStopped) {
      try {
        await this.#step();
        this.#backoff.succeeded();
      } catch (thrown) {
        this.#options.unreached();
        if (this.#backoff.isFirst) this.#options.trouble(toPerdureError(thrown));
        await this.#backoff.afterFailure();
      }
    }
  }

  async #step(): Promise<void> {
    const { gateway, random } = this.#options;
    if (this.#lease === undefined) return this.#register();
    // Spread, so that nodes that started together do not ask together.
    await this.#backoff.pause(this.#limits.renewEveryMs * (0.75 + 0.25 * random()));
    if (this.#backoff.isStopped) return;
    if (await gateway.renew(this.#lease)) {
      if (!this.#options.isListed() && !this.#backoff.isStopped) await this.#put(this.#lease);
      return;
    }
    this.#lease = undefined;
    await this.#backoff.pause(this.#limits.registerAgainWithinMs * random());
  }

  async #register(): Promise<void> {
    const lease = await this.#options.gateway.grant(this.#limits.leaseTtlMs);
    // Also when the answer to the put is lost: it may have been done, and is revoked with the lease.
    this.#lease = lease;
    try {
      await this.#put(lease);
    } catch (thrown) {
      if (!this.#backoff.isStopped) this.#lease = undefined;
      throw thrown;
    }
    this.#registered.resolve();
  }

  async #put(lease: string): Promise<void> {
    const { gateway, key, node } = this.#options;
    await gateway.put({ key, value: JSON.stringify(node), lease });
  }
}
