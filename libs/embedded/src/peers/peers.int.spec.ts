import { beforeEach, describe, expect, it } from '@jest/globals';
import { ManualClock } from '@perdure/clock';
import type { Input } from '@perdure/contract';
import { Bus, type Confirmation, type Envelope } from '@perdure/delivery';
import { ShardFile } from '@perdure/sqlite';
import { ShardMap } from '../shard-map.js';
import { Peers, singly, type PeerEffect } from './peers.js';

class RecordingBus extends Bus {
  envelopes: Envelope[] = [];
  confirmations: Confirmation[] = [];
  override send(envelope: Envelope): void {
    this.envelopes.push(envelope);
  }
  override confirm(confirmation: Confirmation): void {
    this.confirmations.push(confirmation);
  }
}

const map = new ShardMap(2);
/** A workflow id of the shard. */
const idOf = (shard: number): string => Array.from({ length: 100 }, (_, i) => `w${i}`).find((id) => map.shardOf('t', id) === shard)!;
const signal = (shard: number, n: number): PeerEffect => ({ to: 'history', input: { tenant: 't', workflowId: idOf(shard), id: `s${n}`, at: 0, kind: 'signal', name: 'x' } satisfies Input });

describe('Peers', () => {
  const clock = new ManualClock();
  let files: ShardFile[];
  let buses: RecordingBus[];
  let peers: Peers[];
  let woken = 0;

  const open = (shard: number): Peers => new Peers({ file: files[shard]!, map, bus: buses[shard]!, clock, random: () => 0.5, wake: () => woken++ });
  beforeEach(() => {
    files = [0, 1].map((shard) => ShardFile.inMemory(shard));
    buses = [new RecordingBus(), new RecordingBus()];
    peers = [open(0), open(1)];
    woken = 0;
  });

  const commit = (shard: number): void => {
    const write = peers[shard]!.takeChanges();
    if (write) files[shard]!.transaction(write);
    peers[shard]!.committed();
  };
  const rows = (shard: number): number => (files[shard]!.db.prepare('select count(*) as n from peer_outbox').get() as { n: number }).n;
  const ids = (effects: readonly PeerEffect[]): string[] => effects.map((effect) => (effect.to === 'history' ? effect.input.id : effect.kind));

  it('keeps what is its own, and sends the rest after the commit', () => {
    expect(peers[0]!.post(signal(0, 1))).toBe(false);
    expect(peers[0]!.post(signal(1, 2))).toBe(true);
    expect(buses[0]!.envelopes).toEqual([]);
    commit(0);
    expect(buses[0]!.envelopes).toMatchObject([{ source: 'history/0', destination: 'history/1', mark: 1, messages: [{ number: 1 }] }]);
  });

  it('sends again what is not confirmed, also in a later life, and deletes what is', () => {
    peers[0]!.post(signal(1, 1));
    commit(0);
    clock.advanceBy(1_500);
    expect(buses[0]!.envelopes).toHaveLength(2);
    peers[0]!.close();
    peers[0] = open(0);
    peers[0].send();
    expect(buses[0]!.envelopes).toHaveLength(3);
    peers[0].confirmed({ source: 'history/0', destination: 'history/1', numbers: [1] });
    clock.advanceBy(60_000);
    expect(buses[0]!.envelopes).toHaveLength(3);
    expect(woken).toBe(1);
    commit(0);
    expect(rows(0)).toBe(0);
    peers[0].post(signal(1, 2));
    commit(0);
    expect(buses[0]!.envelopes.at(-1)).toMatchObject({ mark: 2, messages: [{ number: 2 }] });
  });

  it('takes what it is sent once, and confirms it after its own commit, repetitions too', () => {
    for (const n of [1, 2]) peers[0]!.post(signal(1, n));
    commit(0);
    const [envelope] = buses[0]!.envelopes;
    expect(ids(peers[1]!.take(envelope!))).toEqual(['s1', 's2']);
    expect(buses[1]!.confirmations).toEqual([]);
    commit(1);
    expect(buses[1]!.confirmations).toMatchObject([{ numbers: [1, 2] }]);
    peers[1] = open(1);
    expect(peers[1].take(envelope!)).toEqual([]);
    commit(1);
    expect(buses[1]!.confirmations.at(-1)).toMatchObject({ numbers: [1, 2] });
  });

  it('takes again what a batch that failed had taken, and nothing before its forerunner', () => {
    for (const n of [1, 2, 3]) peers[0]!.post(signal(1, n));
    commit(0);
    const [first, second, third] = singly(buses[0]!.envelopes[0]!);
    expect(ids(peers[1]!.take(first!))).toEqual(['s1']);
    peers[1]!.takeBack();
    expect(peers[1]!.take(second!)).toEqual([]);
    commit(1);
    expect(buses[1]!.confirmations).toEqual([]);
    expect(ids(peers[1]!.take({ ...first!, messages: [first!, second!, third!].flatMap(({ messages }) => messages) }))).toEqual(['s1', 's2', 's3']);
  });

  it('numbers anew what a batch that failed had put', () => {
    peers[0]!.post(signal(1, 1));
    peers[0]!.takeBack();
    peers[0]!.post(signal(1, 2));
    commit(0);
    expect(buses[0]!.envelopes).toMatchObject([{ messages: [{ number: 1, body: { input: { id: 's2' } } }] }]);
  });
});
