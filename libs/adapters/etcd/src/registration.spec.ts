import { setImmediate as turn } from 'node:timers/promises';
import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { ManualClock } from '@perdure/clock';
import type { MeshNode } from '@perdure/delivery';
import { EtcdFault } from './etcd-fault.js';
import { ETCD_LIMITS } from './etcd-limits.js';
import { Registration } from './registration.js';

const NODE: MeshNode = { id: 'a', service: 'history', address: 'a:1' };

/** Leases by number; those in `gone` have run out. */
class FakeGateway {
  readonly calls: string[] = [];
  readonly gone = new Set<string>();
  isAway = false;
  #leases = 0;

  async grant(): Promise<string> {
    this.#call('grant');
    return String(++this.#leases);
  }
  async put({ key, value, lease }: { readonly key: string; readonly value: string; readonly lease: string }): Promise<void> {
    this.#call(`put ${key} ${(JSON.parse(value) as MeshNode).id} ${lease}`);
  }
  async renew(lease: string): Promise<boolean> {
    this.#call(`renew ${lease}`);
    return !this.gone.has(lease);
  }
  async revoke(lease: string): Promise<void> {
    this.#call(`revoke ${lease}`);
    if (this.gone.has(lease)) throw new EtcdFault('There is no such lease.', { grpcCode: 5 });
  }
  #call(what: string): void {
    this.calls.push(what);
    if (this.isAway) throw new EtcdFault('etcd is away.');
  }
}

describe('Registration', () => {
  let clock: ManualClock;
  let gateway: FakeGateway;
  let troubles: string[];
  let unreached: number;
  let isListed: boolean;
  let registration: Registration | undefined;
  beforeEach(() => {
    clock = new ManualClock();
    gateway = new FakeGateway();
    [troubles, unreached, isListed] = [[], 0, true];
  });
  afterEach(() => registration?.end());

  const begin = (random = 0.5): Registration => {
    registration = new Registration({ gateway, key: '/m/a', node: NODE, isListed: () => isListed, clock, random: () => random, limits: ETCD_LIMITS, trouble: ({ message }) => troubles.push(message), unreached: () => (unreached += 1) });
    return registration;
  };
  const settled = async (): Promise<void> => {
    for (let round = 0; round < 5; round += 1) await turn();
  };
  const later = async (ms: number): Promise<void> => {
    clock.advanceBy(ms);
    await settled();
  };

  it('takes a lease, puts the node under it, and renews it well before it is over', async () => {
    await begin().registered;
    await settled();
    for (let round = 0; round < 3; round += 1) await later(ETCD_LIMITS.renewEveryMs);
    expect(gateway.calls).toEqual(['grant', 'put /m/a a 1', 'renew 1', 'renew 1', 'renew 1']);
    expect(3 * ETCD_LIMITS.renewEveryMs).toBeLessThan(ETCD_LIMITS.leaseTtlMs);
  });

  it('puts the node again when its key was deleted and its lease was not', async () => {
    await begin().registered;
    await settled();
    isListed = false;
    await later(ETCD_LIMITS.renewEveryMs);
    isListed = true;
    await later(ETCD_LIMITS.renewEveryMs);
    expect(gateway.calls).toEqual(['grant', 'put /m/a a 1', 'renew 1', 'put /m/a a 1', 'renew 1']);
  });

  it.each([0, 0.5, 0.999])('registers again when the lease was lost, at a moment of its own (%d)', async (random) => {
    await begin(random).registered;
    await settled();
    gateway.gone.add('1');
    await later(ETCD_LIMITS.renewEveryMs);
    const waited = ETCD_LIMITS.registerAgainWithinMs * random;
    if (waited > 0) {
      await later(waited - 1);
      expect(gateway.calls).toEqual(['grant', 'put /m/a a 1', 'renew 1']);
    }
    await later(1);
    expect(gateway.calls.slice(3)).toEqual(['grant', 'put /m/a a 2']);
    expect(troubles).toEqual([]);
  });

  it('asks on and on for the same lease while etcd is away, and says so once', async () => {
    await begin().registered;
    await settled();
    gateway.isAway = true;
    for (let round = 0; round < 10; round += 1) await later(ETCD_LIMITS.retryAfterMsMax + ETCD_LIMITS.renewEveryMs);
    expect(new Set(gateway.calls.slice(2))).toEqual(new Set(['renew 1']));
    expect(troubles).toEqual(['etcd is away.']);
    expect(unreached).toBeGreaterThan(3);
    gateway.isAway = false;
    await later(ETCD_LIMITS.retryAfterMsMax + ETCD_LIMITS.renewEveryMs);
    expect(gateway.calls).not.toContain('renew 2');
  });

  it('waits for etcd if it is away at first', async () => {
    gateway.isAway = true;
    const { registered } = begin();
    await settled();
    gateway.isAway = false;
    await later(ETCD_LIMITS.retryAfterMs);
    await registered;
    expect(gateway.calls).toEqual(['grant', 'grant', 'put /m/a a 1']);
  });

  it('gives its lease back, whether it is still there or not, and is not registered again', async () => {
    await begin().registered;
    await settled();
    gateway.gone.add('1');
    await registration!.end();
    await later(10 * ETCD_LIMITS.leaseTtlMs);
    expect([gateway.calls, troubles]).toEqual([['grant', 'put /m/a a 1', 'revoke 1'], []]);
    registration = undefined;
  });

  it('ends while etcd is away, and says that the others will hear of it later', async () => {
    await begin().registered;
    gateway.isAway = true;
    await registration!.end();
    expect(troubles).toEqual(['etcd is away.']);
    registration = undefined;
  });
});
