import { beforeEach, describe, expect, it } from '@jest/globals';
import { LIMITS, type CorrelationEffect, type ExternalEvent, type Input, type WaitSpec } from '@perdure/contract';
import fc from 'fast-check';
import { Correlator } from './correlator.js';
import { MemoryCorrelationStore } from './testing/memory-correlation-store.js';

const event = (id: string, keys: ExternalEvent['keys'] = { tracking: 'T1' }, data: ExternalEvent['data'] = {}): ExternalEvent => ({ tenant: 'acme', source: '/s', id, type: 'scan', time: 0, keys, data });
const run = (runId: string) => ({ tenant: 'acme', workflowId: `wf-${runId}`, runId });
const open = (runId: string, spec: Partial<WaitSpec> = {}, seq = 1): CorrelationEffect => ({ to: 'correlation', kind: 'openWait', run: run(runId), seq, chain: runId, at: 0, wait: { type: 'scan', match: { tracking: 'T1' }, ...spec } });
const close = (runId: string, seq = 1): CorrelationEffect => ({ to: 'correlation', kind: 'closeWait', run: run(runId), seq, wait: { type: 'scan', match: { tracking: 'T1' } } });
const settle = (offer: Offer, taken: boolean): CorrelationEffect => ({ to: 'correlation', kind: 'settleOffer', run: { tenant: offer.tenant, workflowId: offer.workflowId, runId: offer.runId! }, seq: offer.seq, offerId: offer.offerId, taken, event: offer.event });
type Offer = Extract<Input, { kind: 'eventOffered' }>;

describe('Correlator', () => {
  let store: MemoryCorrelationStore;
  let correlator: Correlator;
  const commit = async (): Promise<Offer[]> => {
    await store.commit(correlator.takeChanges());
    const offers = correlator.takeInputs() as Offer[];
    correlator.committed();
    return offers;
  };
  const offered = (offers: readonly Offer[]): string[] => offers.map(({ runId, event: { id } }) => `${id}→${runId}`);

  beforeEach(async () => {
    store = new MemoryCorrelationStore();
    correlator = await Correlator.open({ store });
  });

  it('offers an event that comes after the wait', async () => {
    await correlator.receive([open('r1')]);
    await correlator.publish([event('e1')], 1);
    expect(offered(await commit())).toEqual(['e1→r1']);
  });

  it('offers an event that came before the wait, the oldest first', async () => {
    await correlator.publish([event('e1'), event('e2')], 1);
    await commit();
    await correlator.receive([open('r1')]);
    expect(offered(await commit())).toEqual(['e1→r1']);
  });

  it('wants every key of the match to be equal, and of the same type', async () => {
    await correlator.receive([open('r1', { match: { repository: 'a/b', number: 7 } })]);
    await correlator.publish([event('text', { repository: 'a/b', number: '7' }), event('other', { repository: 'a/c', number: 7 }), event('missing', { number: 7 }), event('fits', { repository: 'a/b', number: 7, action: 'opened' })], 1);
    expect(offered(await commit())).toEqual(['fits→r1']);
  });

  it('drops a second event of the same source and id, before and after the commit, and after it was spent', async () => {
    expect(await correlator.publish([event('e1'), event('e1')], 1)).toEqual(['accepted', 'duplicate']);
    await commit();
    expect(await correlator.publish([event('e1')], 1)).toEqual(['duplicate']);
    await correlator.receive([open('r1')]);
    const [offer] = await commit();
    await correlator.receive([settle(offer!, true)]);
    await commit();
    expect(await correlator.publish([event('e1')], 1)).toEqual(['duplicate']);
  });

  it('offers a returned event to the next wait, oldest wait first, and a taken one to nobody', async () => {
    await correlator.receive([open('r1'), open('r2'), open('r3')]);
    await correlator.publish([event('e1')], 1);
    const [first] = await commit();
    await correlator.receive([settle(first!, false)]);
    const [second] = await commit();
    expect(offered([second!])).toEqual(['e1→r2']);
    await correlator.receive([settle(second!, true)]);
    expect(await commit()).toEqual([]);
    await correlator.receive([open('r4')]);
    expect(await commit()).toEqual([]);
  });

  it('keeps an offered event with the run until it answers, even if the wait was closed meanwhile', async () => {
    await correlator.receive([open('r1')]);
    await correlator.publish([event('e1')], 1);
    const [offer] = await commit();
    await correlator.receive([close('r1'), open('r2')]);
    expect(await commit()).toEqual([]);
    await correlator.receive([settle(offer!, false)]);
    expect(offered(await commit())).toEqual(['e1→r2']);
  });

  it('gives each of many events to a run that waits in a loop once, in order of arrival', async () => {
    await correlator.publish([event('e1'), event('e2'), event('e3')], 1);
    const seen: string[] = [];
    for (let seq = 1; seq <= 4; seq++) {
      await correlator.receive([open('r1', {}, seq)]);
      const offers = await commit();
      seen.push(...offered(offers));
      await correlator.receive(offers.map((offer) => settle(offer, true)));
    }
    expect(seen).toEqual(['e1→r1', 'e2→r1', 'e3→r1']);
  });

  it('filters by data, and by time of arrival', async () => {
    await correlator.publish([event('small', undefined, { weight: 1 }), event('big', undefined, { weight: 9 })], 10);
    await correlator.receive([open('r1', { filter: 'weight > `5`' }), open('r2', { sinceMs: 11 }), open('r3', { filter: 'not ( an expression' })]);
    expect(offered(await commit())).toEqual(['big→r1']);
  });

  it('lets go of events that nobody took in time, and remembers spent ids for their window', async () => {
    await correlator.publish([event('old')], 0);
    await commit();
    correlator.sweep(LIMITS.eventBufferMs + 1);
    await commit();
    await correlator.receive([open('r1')]);
    expect(await commit()).toEqual([]);
    expect(correlator.buffered).toBe(0);
    expect(await correlator.publish([event('old')], LIMITS.eventBufferMs + 1)).toEqual(['accepted']);
  });

  it('refuses events beyond its buffer, all of a batch or none', async () => {
    correlator = await Correlator.open({ store, eventsBufferedMax: 1 });
    await expect(correlator.publish([event('e1'), event('e2')], 1)).rejects.toMatchObject({ code: 'overloaded' });
    expect(await correlator.publish([event('e1')], 1)).toEqual(['accepted']);
  });

  it('spends each event once and leaves none behind that an open wait wants, however things come and whenever it starts anew', async () => {
    const step = fc.oneof(
      fc.record({ do: fc.constant('publish' as const), id: fc.nat(20), key: fc.constantFrom('a', 'b') }),
      fc.record({ do: fc.constant('open' as const), run: fc.nat(9), key: fc.constantFrom('a', 'b') }),
      fc.record({ do: fc.constant('close' as const), run: fc.nat(9) }),
      fc.record({ do: fc.constant('settle' as const), which: fc.nat(3) }),
      fc.record({ do: fc.constant('restart' as const) }),
      fc.record({ do: fc.constant('failedBatch' as const), id: fc.nat(20), key: fc.constantFrom('a', 'b') }),
    );
    await fc.assert(
      fc.asyncProperty(fc.array(step, { maxLength: 60 }), async (steps) => {
        store = new MemoryCorrelationStore();
        correlator = await Correlator.open({ store });
        const openRuns = new Map<string, string>();
        const used = new Set<string>();
        const out: Offer[] = [];
        const taken: string[] = [];
        for (const each of steps) {
          if (each.do === 'publish') await correlator.publish([event(`e${each.id}`, { k: each.key })], 1);
          else if (each.do === 'open' && !used.has(`r${each.run}`)) {
            used.add(`r${each.run}`);
            openRuns.set(`r${each.run}`, each.key);
            await correlator.receive([open(`r${each.run}`, { match: { k: each.key } })]);
          } else if (each.do === 'close' && openRuns.delete(`r${each.run}`)) await correlator.receive([close(`r${each.run}`)]);
          else if (each.do === 'settle' && out.length > 0) {
            const [offer] = out.splice(each.which % out.length, 1);
            const takes = openRuns.delete(offer!.runId!);
            if (takes) taken.push(offer!.event.id);
            await correlator.receive([settle(offer!, takes)]);
          } else if (each.do === 'restart') await correlator.reset();
          else if (each.do === 'failedBatch') {
            await correlator.publish([event(`e${each.id}`, { k: each.key })], 1);
            await correlator.reset();
          }
          out.push(...(await commit()));
          const idle = [...openRuns].filter(([runId]) => !out.some((offer) => offer.runId === runId));
          const buffered = [...store.events.rows.values()].filter(({ state }) => state === 'buffered');
          expect(idle.filter(([, key]) => buffered.some(({ keys }) => keys['k'] === key))).toEqual([]);
        }
        expect(new Set(taken).size).toBe(taken.length);
      }),
      { numRuns: 300 },
    );
  });
});
