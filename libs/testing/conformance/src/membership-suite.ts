import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import type { Membership, MeshNode } from '@perdure/delivery';

export interface MadeMembership {
  /** Another node's view. It ends with `close`. */
  open(): Promise<Membership>;
  /** The node loses its place without leaving: its lease has run out. */
  lose(id: string): Promise<void>;
  close(): Promise<void>;
}

export const nodeOf = (id: string, service: MeshNode['service'] = 'history'): MeshNode => ({ id, service, address: `${id}:3000` });

export const idsIn = (membership: Membership, service: MeshNode['service'] = 'history'): string[] => membership.nodes(service).map(({ id }) => id);

/** Until the list is so, and no later than the test's own timeout. */
export function listed(membership: Membership, ids: readonly string[], service: MeshNode['service'] = 'history'): Promise<void> {
  return new Promise((resolve) => {
    const look = (): boolean => idsIn(membership, service).join() === ids.join();
    const stop = membership.onChange(() => {
      if (!look()) return;
      stop();
      resolve();
    });
    if (!look()) return;
    stop();
    resolve();
  });
}

const changed = (membership: Membership): Promise<void> =>
  new Promise((resolve) => {
    const stop = membership.onChange(() => {
      stop();
      resolve();
    });
  });

export function membershipSuite(name: string, make: () => Promise<MadeMembership>): void {
  describe(`Membership: ${name}`, () => {
    let made: MadeMembership;
    beforeEach(async () => {
      made = await make();
    });
    afterEach(() => made.close());

    it('shows who has joined to everyone, by service, in order of id', async () => {
      const [a, b, c] = [await made.open(), await made.open(), await made.open()];
      await b.join(nodeOf('b'));
      await a.join(nodeOf('a'));
      await c.join(nodeOf('c', 'scheduler'));
      for (const membership of [a, b, c]) {
        await listed(membership, ['a', 'b']);
        await listed(membership, ['c'], 'scheduler');
        expect(membership.nodes('history')).toEqual([nodeOf('a'), nodeOf('b')]);
        expect(membership.nodes('ingestion')).toEqual([]);
      }
    });

    it('shows a latecomer who was there before', async () => {
      const a = await made.open();
      await a.join(nodeOf('a'));
      expect(idsIn(await made.open())).toEqual(['a']);
    });

    it('tells the others at once when a node leaves', async () => {
      const [a, b] = [await made.open(), await made.open()];
      await a.join(nodeOf('a'));
      await b.join(nodeOf('b'));
      await listed(b, ['a', 'b']);
      await a.leave();
      await listed(b, ['b']);
      expect(idsIn(await made.open())).toEqual(['b']);
      await a.leave();
    });

    it('tells of each change once, and no more after it was told to stop', async () => {
      const [a, b] = [await made.open(), await made.open()];
      let told = 0;
      const stop = b.onChange(() => (told += 1));
      const joined = changed(b);
      await a.join(nodeOf('a'));
      await joined;
      expect([told, idsIn(b)]).toEqual([1, ['a']]);
      stop();
      const left = changed(b);
      await a.leave();
      await left;
      expect([told, idsIn(b)]).toEqual([1, []]);
    });

    it('puts a node back that has lost its place', async () => {
      const [a, b] = [await made.open(), await made.open()];
      await a.join(nodeOf('a'));
      await listed(b, ['a']);
      const isGone = listed(b, []);
      await made.lose('a');
      await isGone;
      await listed(b, ['a']);
      expect(b.nodes('history')).toEqual([nodeOf('a')]);
    });

    it('does not put one back that has left', async () => {
      const [a, b] = [await made.open(), await made.open()];
      await a.join(nodeOf('a'));
      await listed(b, ['a']);
      await a.leave();
      await b.join(nodeOf('b'));
      await listed(b, ['b']);
      await made.lose('b');
      await listed(b, ['b']);
      // It puts itself back soon after it has heard.
      await listed(await made.open(), ['b']);
    });
  });
}
