import { randomUUID } from 'node:crypto';
import { describe, expect, it } from '@jest/globals';
import { SystemClock } from '@perdure/clock';
import { EtcdMembership } from '@perdure/etcd';
import { etcdCall, keysUnder } from './etcd-call.js';
import { idsIn, listed, membershipSuite, nodeOf } from './membership-suite.js';
import { requiredAddress } from './required-address.js';

const address = requiredAddress('PERDURE_TEST_ETCD', process.env);

const newPrefix = (): string => `/membership-${randomUUID().slice(0, 8)}`;
const connect = (prefix: string): Promise<EtcdMembership> => EtcdMembership.connect({ endpoints: [address], prefix, clock: new SystemClock(), random: Math.random });

membershipSuite('etcd', async () => {
  const prefix = newPrefix();
  const opened: EtcdMembership[] = [];
  return {
    open: async () => {
      const membership = await connect(prefix);
      opened.push(membership);
      return membership;
    },
    lose: async (id) => {
      const [found] = (await keysUnder(address, prefix)).filter(({ key }) => key.endsWith(`/${id}`));
      await etcdCall(address, '/v3/lease/revoke', { ID: found!.lease });
    },
    close: async () => {
      await Promise.all(opened.map((membership) => membership.close()));
    },
  };
});

describe('EtcdMembership', () => {
  it('leaves nothing behind, and holds its place by a lease of five seconds', async () => {
    const prefix = newPrefix();
    const membership = await connect(prefix);
    await membership.join(nodeOf('a'));
    const [found] = await keysUnder(address, prefix);
    const { grantedTTL } = (await etcdCall(address, '/v3/lease/timetolive', { ID: found!.lease })) as { grantedTTL: string };
    expect(grantedTTL).toBe('5');
    await membership.close();
    expect(await keysUnder(address, prefix)).toEqual([]);
  });

  it('tells of changes that come together once', async () => {
    const prefix = newPrefix();
    const watcher = await connect(prefix);
    let told = 0;
    const first = new Promise<void>((resolve) => {
      watcher.onChange(() => {
        told += 1;
        resolve();
      });
    });
    const put = (id: string): object => ({ request_put: { key: btoa(`${prefix}/nodes/${id}`), value: btoa(JSON.stringify(nodeOf(id))) } });
    const ids = Array.from({ length: 20 }, (_, index) => `n${String(index).padStart(2, '0')}`);
    await etcdCall(address, '/v3/kv/txn', { success: ids.map(put) });
    await first;
    expect([told, idsIn(watcher)]).toEqual([1, ids]);
    await watcher.close();
  });

  it('keeps meshes with other prefixes apart', async () => {
    const prefix = newPrefix();
    const [one, longer] = [await connect(prefix), await connect(`${prefix}0`)];
    await one.join(nodeOf('a'));
    await longer.join(nodeOf('b'));
    await listed(one, ['a']);
    await listed(longer, ['b']);
    expect([idsIn(one), idsIn(longer)]).toEqual([['a'], ['b']]);
    await Promise.all([one.close(), longer.close()]);
  });

  it('says plainly that there is no etcd to be reached', async () => {
    const absent = EtcdMembership.connect({ endpoints: ['127.0.0.1:1'], prefix: newPrefix(), clock: new SystemClock(), random: Math.random, limits: { connectWithinMs: 300 } });
    await expect(absent).rejects.toMatchObject({ code: 'unavailable', retryable: true, message: expect.stringContaining('etcd at http://127.0.0.1:1 did not answer') });
  });
});
