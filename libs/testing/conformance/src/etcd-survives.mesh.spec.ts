import { spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { rm } from 'node:fs/promises';
import { join } from 'node:path';
import { setTimeout as after } from 'node:timers/promises';
import { afterEach, beforeEach, describe, expect, it, jest } from '@jest/globals';
import { SystemClock } from '@perdure/clock';
import { ETCD_LIMITS, EtcdMembership } from '@perdure/etcd';
import { etcdProgram, obtain, SilentProgress, startEtcd, type ServerProcess } from '@perdure/servers';
import { etcdCall } from './etcd-call.js';
import { Gate } from './gate.js';
import { idsIn, listed, nodeOf } from './membership-suite.js';

jest.setTimeout(120_000);

const PREFIX = '/m';
const MEMBER = join(import.meta.dirname, '..', 'dist', 'member.js');
/** Until etcd has seen that a lease has run out. */
const LEASE_OVER_MS = ETCD_LIMITS.leaseTtlMs + 2_500;

describe('EtcdMembership', () => {
  let etcd: ServerProcess;
  const opened: EtcdMembership[] = [];
  const gates: Gate[] = [];
  const children: ChildProcess[] = [];
  beforeEach(async () => {
    etcd = await startEtcd({ program: await obtain(etcdProgram, { progress: new SilentProgress() }) });
  });
  afterEach(async () => {
    for (const child of children.splice(0)) {
      child.kill('SIGKILL');
      if (child.exitCode === null && child.signalCode === null) await once(child, 'exit');
    }
    await Promise.all(opened.splice(0).map((membership) => membership.close()));
    await Promise.all(gates.splice(0).map((gate) => gate.shut()));
    await etcd.stop();
  });

  const open = async (endpoint = etcd.address): Promise<EtcdMembership> => {
    const membership = await EtcdMembership.connect({ endpoints: [endpoint], prefix: PREFIX, clock: new SystemClock(), random: Math.random });
    opened.push(membership);
    return membership;
  };
  const joined = async (id: string): Promise<EtcdMembership> => {
    const membership = await open();
    await membership.join(nodeOf(id));
    return membership;
  };
  const openGate = async (): Promise<Gate> => {
    const gate = await Gate.open(etcd.address);
    gates.push(gate);
    return gate;
  };

  it('changes no list when etcd is killed and back before the leases are over', async () => {
    const a = await joined('a');
    const told: string[] = [];
    const toldOfBoth = Promise.withResolvers<void>();
    a.onChange(() => {
      told.push(idsIn(a).join());
      if (told.at(-1) === 'a,b') toldOfBoth.resolve();
    });
    const b = await joined('b');
    await Promise.all([listed(a, ['a', 'b']), listed(b, ['a', 'b'])]);
    // A list is told of a little later than it is there.
    await toldOfBoth.promise;
    told.length = 0;
    await etcd.kill();
    await etcd.restart();
    // Seen only if the watch is back.
    await joined('c');
    await listed(a, ['a', 'b', 'c']);
    await after(LEASE_OVER_MS);
    expect(told).toEqual(['a,b,c']);
    expect(idsIn(await open())).toEqual(['a', 'b', 'c']);
  });

  it('keeps the last list while etcd is away, however long, and goes on when it is back', async () => {
    const [a, b] = [await joined('a'), await joined('b')];
    await Promise.all([listed(a, ['a', 'b']), listed(b, ['a', 'b'])]);
    await etcd.kill();
    await after(LEASE_OVER_MS);
    expect([idsIn(a), idsIn(b)]).toEqual([['a', 'b'], ['a', 'b']]);
    await etcd.restart();
    await joined('c');
    await Promise.all([listed(a, ['a', 'b', 'c']), listed(b, ['a', 'b', 'c'])]);
  });

  it('has everyone back after etcd stood still for longer than the leases', async () => {
    const [a, b] = [await joined('a'), await joined('b')];
    await listed(a, ['a', 'b']);
    etcd.pause();
    await after(LEASE_OVER_MS);
    etcd.resume();
    // Their leases are over by etcd's clock, or just not; in the end all is as it was.
    await after(LEASE_OVER_MS);
    await Promise.all([listed(a, ['a', 'b']), listed(b, ['a', 'b'])]);
    await joined('c');
    await Promise.all([listed(a, ['a', 'b', 'c']), listed(b, ['a', 'b', 'c'])]);
  });

  it('has everyone back after etcd has lost its data', async () => {
    const [a, b] = [await joined('a'), await joined('b')];
    await Promise.all([listed(a, ['a', 'b']), listed(b, ['a', 'b'])]);
    await etcd.kill();
    await rm(join(etcd.folder, 'data'), { recursive: true });
    await etcd.restart();
    await listed(await open(), ['a', 'b']);
    await joined('c');
    await Promise.all([listed(a, ['a', 'b', 'c']), listed(b, ['a', 'b', 'c'])]);
  });

  it('drops a process that stands still for longer than its lease, and has it back when it goes on', async () => {
    const a = await joined('a');
    const child = spawn(process.execPath, [MEMBER, etcd.address, PREFIX, 'b'], { stdio: 'inherit' });
    children.push(child);
    await listed(a, ['a', 'b']);
    child.kill('SIGSTOP');
    await listed(a, ['a']);
    child.kill('SIGCONT');
    await listed(a, ['a', 'b']);
  });

  it('drops a process that was killed, within the lease', async () => {
    const a = await joined('a');
    const child = spawn(process.execPath, [MEMBER, etcd.address, PREFIX, 'b'], { stdio: 'inherit' });
    children.push(child);
    await listed(a, ['a', 'b']);
    const beganMs = Date.now();
    child.kill('SIGKILL');
    await listed(a, ['a']);
    expect(Date.now() - beganMs).toBeLessThan(LEASE_OVER_MS);
  });

  it.each(['shut', 'silence'] as const)('reads the list anew when its connection was lost (%s), also over a compaction', async (failure) => {
    const gate = await openGate();
    const far = await open(gate.address);
    await far.join(nodeOf('far'));
    const near = await joined('a');
    await listed(far, ['a', 'far']);
    await gate[failure]();
    const b = await joined('b');
    await near.leave();
    const { header } = (await etcdCall(etcd.address, '/v3/kv/range', { key: btoa('x') })) as { header: { revision: string } };
    await etcdCall(etcd.address, '/v3/kv/compaction', { revision: header.revision, physical: true });
    // Its lease runs out meanwhile: nobody hears of it.
    await listed(b, ['b']);
    expect(idsIn(far)).toEqual(['a', 'far']);
    await gate.reopen();
    await Promise.all([listed(far, ['b', 'far']), listed(b, ['b', 'far'])]);
    await b.leave();
    await listed(far, ['far']);
  });

  it('can be left while etcd is away', async () => {
    const a = await joined('a');
    await etcd.kill();
    const beganMs = Date.now();
    await a.leave();
    expect(Date.now() - beganMs).toBeLessThan(2 * ETCD_LIMITS.callTimeoutMs + 1_000);
    await etcd.restart();
    await listed(await open(), []);
  });
});
