import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import type { ExternalEvent } from '@perdure/contract';
import type { CorrelationChange, CorrelationStore, EventState, WaitRow } from '@perdure/correlation';
import type { Made, Make } from './made.js';
import { keyOf, ODD_TEXTS } from './sample-rows.js';

const waitRow = (seq: number, order: number): WaitRow => ({ key: `a/${seq}`, run: keyOf('a'), seq, chain: 'r1', wait: { type: 'scan', match: { tracking: 'T1', leg: 2, last: true } }, order, openedAt: 5 });

const event = (id: string): ExternalEvent => ({ tenant: 't', source: 's', id, type: 'scan', time: 1, keys: { tracking: 'T1' }, data: ODD_TEXTS });

const putEvent = (arrival: number, state: EventState = 'buffered'): CorrelationChange => ({
  kind: 'putEvent', row: { arrival, arrivedAt: 100 * arrival, tenant: 't', type: 'scan', keys: { tracking: 'T1' }, state, event: event(`e${arrival}`) },
});

export function correlationStoreSuite(name: string, make: Make<CorrelationStore>): void {
  describe(`CorrelationStore: ${name}`, () => {
    let made: Made<CorrelationStore>;
    beforeEach(async () => {
      made = await make();
    });
    afterEach(() => made.close());
    const waits = async (): Promise<WaitRow[]> => [...(await (await made.reopen()).waits.load())];
    const heads = async (): Promise<unknown[]> => [...(await (await made.reopen()).events.load())];

    it('gives back waits in rising order, and one put anew in its new state', async () => {
      await made.store.commit([{ kind: 'putWait', row: waitRow(1, 20) }, { kind: 'putWait', row: waitRow(2, 10) }]);
      expect(await waits()).toEqual([waitRow(2, 10), waitRow(1, 20)]);
      const offered = { ...waitRow(1, 20), offered: 4, closed: true as const };
      await made.store.commit([{ kind: 'deleteWait', key: 'a/1' }, { kind: 'putWait', row: offered }, { kind: 'deleteWait', key: 'a/2' }]);
      expect(await waits()).toEqual([offered]);
    });

    it('gives back the heads of events that somebody may yet take, in order of arrival', async () => {
      await made.store.commit([putEvent(2), putEvent(1), putEvent(3)]);
      await made.store.commit([{ kind: 'markEvent', arrival: 1, state: 'offered' }, { kind: 'markEvent', arrival: 3, state: 'spent' }]);
      const head = { tenant: 't', type: 'scan', keys: { tracking: 'T1' } };
      expect(await heads()).toMatchObject([{ ...head, arrival: 1, arrivedAt: 100, offered: true }, { ...head, arrival: 2, arrivedAt: 200, offered: false }]);
      expect(await made.store.events.find(2)).toEqual(event('e2'));
      expect(await made.store.events.lastArrival()).toBe(3);
    });

    it('knows an event by source and id, in any state and for its own tenant alone', async () => {
      await made.store.commit([putEvent(1), { kind: 'markEvent', arrival: 1, state: 'spent' }]);
      expect(await made.store.events.isKnown({ tenant: 't', source: 's', id: 'e1' })).toBe(true);
      expect(await made.store.events.isKnown({ tenant: 'u', source: 's', id: 'e1' })).toBe(false);
      expect(await made.store.events.isKnown({ tenant: 't', source: 's2', id: 'e1' })).toBe(false);
    });

    it('forgets by age, but nothing that is offered', async () => {
      await made.store.commit([putEvent(1), putEvent(2, 'offered'), putEvent(3, 'spent'), putEvent(4)]);
      await made.store.commit([{ kind: 'sweepEvents', bufferedBeforeMs: 350, spentBeforeMs: 250 }]);
      const known = async (): Promise<boolean[]> => Promise.all([1, 2, 3, 4].map((n) => made.store.events.isKnown({ tenant: 't', source: 's', id: `e${n}` })));
      expect(await known()).toEqual([false, true, true, true]);
      await made.store.commit([{ kind: 'sweepEvents', bufferedBeforeMs: 350, spentBeforeMs: 350 }]);
      expect(await known()).toEqual([false, true, false, true]);
    });
  });
}
