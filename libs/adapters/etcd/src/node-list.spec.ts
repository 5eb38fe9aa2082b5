import { setImmediate as turn } from 'node:timers/promises';
import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { ManualClock } from '@perdure/clock';
import { EtcdFault } from './etcd-fault.js';
import type { EtcdChange, EtcdList } from './etcd-gateway.js';
import { ETCD_LIMITS } from './etcd-limits.js';
import { NodeList } from './node-list.js';

const valueOf = (id: string): string => JSON.stringify({ id, service: 'history', address: `${id}:1` });

/** etcd as a test drives it: a list, and one watch at a time. */
class FakeGateway {
  readonly entries = new Map<string, string>();
  readonly watchedFrom: bigint[] = [];
  revision = 10n;
  isAway = false;
  lists = 0;
  #wake: () => void = () => undefined;
  #changes: EtcdChange[][] = [];
  #end: Error | 'ended' | undefined;

  async list(): Promise<EtcdList> {
    this.lists += 1;
    if (this.isAway) throw new EtcdFault('etcd is away.');
    return { revision: this.revision, entries: new Map(this.entries) };
  }

  async *watch(_prefix: string, { revision, signal }: { readonly revision: bigint; readonly signal: AbortSignal }): AsyncGenerator<readonly EtcdChange[]> {
    this.watchedFrom.push(revision);
    this.#end = undefined;
    signal.addEventListener('abort', () => this.end(new Error('aborted')));
    for (;;) {
      while (this.#changes.length > 0) yield this.#changes.shift()!;
      if (this.#end === 'ended') return;
      if (this.#end) throw this.#end;
      await new Promise<void>((resolve) => (this.#wake = resolve));
    }
  }

  change(...changes: EtcdChange[]): void {
    this.#changes.push(changes);
    this.#wake();
  }

  end(how: Error | 'ended'): void {
    this.#end = how;
    this.#wake();
  }
}

describe('NodeList', () => {
  let clock: ManualClock;
  let gateway: FakeGateway;
  let list: NodeList;
  let told: number;
  let troubles: string[];
  const settled = async (): Promise<void> => {
    for (let round = 0; round < 5; round += 1) await turn();
  };
  const later = async (ms: number): Promise<void> => {
    clock.advanceBy(ms);
    await settled();
  };
  const ids = (): string[] => list.nodes.map(({ id }) => id);

  beforeEach(async () => {
    clock = new ManualClock();
    gateway = new FakeGateway();
    [told, troubles] = [0, []];
    gateway.entries.set('/m/a', valueOf('a'));
    list = await NodeList.open({ gateway, prefix: '/m/', clock, random: () => 1, limits: ETCD_LIMITS, trouble: ({ message }) => troubles.push(message) });
    list.onChange(() => (told += 1));
    await settled();
  });
  afterEach(() => list.close());

  it('reads once, and follows from the revision behind that', async () => {
    expect(ids()).toEqual(['a']);
    gateway.change({ key: '/m/b', value: valueOf('b') });
    gateway.change({ key: '/m/a' });
    await settled();
    expect(ids()).toEqual(['b']);
    expect([gateway.lists, gateway.watchedFrom]).toEqual([1, [11n]]);
  });

  it('tells of changes that come together once, and of none that change nothing', async () => {
    gateway.change({ key: '/m/b', value: valueOf('b') });
    await settled();
    gateway.change({ key: '/m/c', value: valueOf('c') });
    await settled();
    await later(ETCD_LIMITS.tellAfterMs);
    expect([told, ids()]).toEqual([1, ['a', 'b', 'c']]);
    gateway.change({ key: '/m/c', value: valueOf('c') });
    await settled();
    await later(ETCD_LIMITS.tellAfterMs);
    expect(told).toBe(1);
    gateway.change({ key: '/m/c' });
    await settled();
    await later(ETCD_LIMITS.tellAfterMs);
    expect([told, ids()]).toEqual([2, ['a', 'b']]);
  });

  it.each(['garbage', 'null', '{"id":"b","service":"history"}', '"b"'])('leaves out what is no node (%s), and says so once', async (value) => {
    gateway.change({ key: '/m/b', value });
    gateway.change({ key: '/m/c', value: valueOf('c') });
    await settled();
    expect([ids(), troubles]).toEqual([['a', 'c'], [expect.stringContaining('/m/b')]]);
  });

  it('keeps the last list while etcd is away, says so once, and reads anew when it is back', async () => {
    gateway.isAway = true;
    gateway.end(new EtcdFault('The watch broke.'));
    for (let round = 0; round < 10; round += 1) await later(ETCD_LIMITS.retryAfterMsMax);
    expect([ids(), told, troubles]).toEqual([['a'], 0, ['The watch broke.']]);
    expect(gateway.lists).toBeGreaterThan(5);
    // Also when it has lost everything, and counts from 1 again.
    gateway.isAway = false;
    gateway.revision = 2n;
    gateway.entries.clear();
    gateway.entries.set('/m/b', valueOf('b'));
    await later(ETCD_LIMITS.retryAfterMsMax);
    await later(ETCD_LIMITS.tellAfterMs);
    expect([ids(), told, gateway.watchedFrom]).toEqual([['b'], 1, [11n, 3n]]);
  });

  it('reads anew when etcd ends the watch, as it does after a compaction, and when the watch is suspected', async () => {
    gateway.entries.set('/m/b', valueOf('b'));
    gateway.end('ended');
    await settled();
    await later(ETCD_LIMITS.retryAfterMsMax);
    expect(ids()).toEqual(['a', 'b']);
    gateway.entries.delete('/m/a');
    list.suspect();
    await settled();
    await later(ETCD_LIMITS.retryAfterMsMax);
    expect([ids(), troubles]).toEqual([['b'], []]);
  });

  it('does not open without a list', async () => {
    gateway.isAway = true;
    const opening = NodeList.open({ gateway, prefix: '/m/', clock, random: () => 1, limits: ETCD_LIMITS, trouble: () => undefined });
    const refused = expect(opening).rejects.toMatchObject({ name: 'EtcdFault', retryable: true });
    for (let round = 0; round < 12; round += 1) await later(ETCD_LIMITS.retryAfterMsMax);
    await refused;
  });
});
