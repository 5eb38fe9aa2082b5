import { beforeEach, describe, expect, it } from '@jest/globals';
import { LIMITS, type CorrelationEffect, type ExternalEvent, type Input, type WaitSpec } from '@perdure/contract';
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

  it('refuses a wait whose filter is none, and keeps nothing of it, whichever of its effects comes first', async () => {
    await correlator.receive([open('r1', { filter: 'amount >' })]);
    expect(await commit()).toMatchObject([{ kind: 'waitRefused', id: 'r1/1/refused', runId: 'r1', seq: 1, error: { type: 'InvalidFilter', message: expect.stringContaining('amount >') } }]);
    await correlator.receive([{ to: 'correlation', kind: 'closeWait', run: run('r1'), seq: 1, wait: { type: 'scan', match: {}, filter: 'amount >' } }]);
    await commit();
    expect([correlator.waiting, [...(await store.waits.load())]]).toEqual([0, []]);
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
    await correlator.receive([open('r1', { filter: 'weight > `5`' }), open('r2', { sinceMs: 11 })]);
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
    correlator = await Correlator.open({ store, eventsBufferedMax: 2 });
    await expect(correlator.publish([event('e1'), event('e2')], 1)).rejects.toMatchObject({ code: 'overloaded' });
    expect(await correlator.publish([event('e1')], 1)).toEqual(['accepted']);
    await commit();
    await correlator.reset();
    await expect(correlator.publish([event('e2')], 1)).rejects.toMatchObject({ code: 'overloaded' });
    await correlator.receive([open('r1')]);
    const [offer] = await commit();
    await correlator.receive([settle(offer!, true)]);
    expect(await correlator.publish([event('e2')], 1)).toEqual(['accepted']);
  });

  it('has room for a tenant whatever another has sent', async () => {
    correlator = await Correlator.open({ store, eventsBufferedMax: 100 });
    const send = async (tenant: string): Promise<number> => {
      for (let count = 0; ; count++) {
        const receipts = await correlator.publish([{ ...event(`${tenant}${count}`), tenant }], 1).catch(({ code }: { code: string }) => [code]);
        if (receipts[0] === 'overloaded') return count;
      }
    };
    expect([await send('greedy'), await send('acme'), await send('late')]).toEqual([50, 25, 12]);
  });

  it('takes an answer only from the run that holds the event: an offer that reached history twice is answered twice', async () => {
    await correlator.receive([open('r1'), open('r2'), open('r3')]);
    await correlator.publish([event('e1')], 1);
    const [first] = await commit();
    await correlator.receive([settle(first!, false)]);
    const [second] = await commit();
    await correlator.receive([settle(first!, false)]);
    expect(await commit()).toEqual([]);
    await correlator.receive([settle(second!, true)]);
    expect(await commit()).toEqual([]);
    expect(correlator.buffered).toBe(0);
  });

  it('drops an answer to an offer that the run does not have', async () => {
    await correlator.receive([open('r1')]);
    await correlator.publish([event('e1')], 1);
    const [first] = await commit();
    await correlator.receive([{ ...settle(first!, true), offerId: '99' } as CorrelationEffect]);
    expect([correlator.waiting, correlator.buffered]).toEqual([1, 1]);
  });

  it('remembers over a restart which run holds which event', async () => {
    await correlator.receive([open('r1'), open('r2')]);
    await correlator.publish([event('e1')], 1);
    const [first] = await commit();
    await correlator.reset();
    await correlator.publish([event('e2')], 2);
    expect(offered(await commit())).toEqual(['e2→r2']);
    await correlator.receive([close('r1')]);
    await commit();
    await correlator.reset();
    await correlator.receive([open('r3'), settle(first!, false)]);
    expect(offered(await commit())).toEqual(['e1→r3']);
  });

  it('does not open a wait whose close came first, also after a restart', async () => {
    await correlator.receive([close('r1'), close('r1')]);
    await commit();
    await correlator.reset();
    expect(correlator.waiting).toBe(0);
    await correlator.publish([event('e1')], 1);
    await correlator.receive([open('r1'), open('r2')]);
    expect(offered(await commit())).toEqual(['e1→r2']);
    expect([...store.waits.rows.keys()]).toHaveLength(1);
  });

  it('keeps so many closes that came first, and so long', async () => {
    correlator = await Correlator.open({ store, tombstonesMax: 1 });
    await correlator.receive([close('r1'), close('r2')]);
    correlator.sweep(1);
    await commit();
    expect(store.waits.rows.size).toBe(1);
    correlator.sweep(LIMITS.eventDedupeMs);
    await commit();
    expect(store.waits.rows.size).toBe(1);
    correlator.sweep(LIMITS.eventDedupeMs + 1);
    await commit();
    expect(store.waits.rows.size).toBe(0);
  });

  it('keeps an old event that a run was asked about in the batch of the sweep', async () => {
    await correlator.publish([event('e1')], 0);
    await commit();
    await correlator.receive([open('r1')]);
    correlator.sweep(LIMITS.eventBufferMs + 1);
    const [offer] = await commit();
    await correlator.receive([open('r2'), settle(offer!, false)]);
    expect(offered(await commit())).toEqual(['e1→r2']);
  });

  it('writes an event that comes and is taken within one batch once, without its data, and its wait not at all', async () => {
    await correlator.receive([open('r1')]);
    await correlator.publish([event('e1', { tracking: 'T1' }, { much: 'data' })], 1);
    await correlator.receive([settle(correlator.takeInputs()[0] as Offer, true)]);
    expect(correlator.takeChanges()).toEqual([{ kind: 'putEvent', row: expect.objectContaining({ state: 'spent', keys: {}, event: expect.not.objectContaining({ data: expect.anything() }) }) }]);
  });

  it('does not take what every object inherits for a key', async () => {
    await correlator.receive([open('r1', { match: { constructor: 'x', tracking: 'T1' } })]);
    await correlator.publish([event('e1'), event('e2', { constructor: 'x', tracking: 'T1' })], 1);
    expect(offered(await commit())).toEqual(['e2→r1']);
  });

  it('offers by age across waits that match on different keys', async () => {
    await correlator.receive([open('r1', { match: {} }), open('r2'), open('r3', { match: { tracking: 'T1', leg: 1 } }), open('r4')]);
    await correlator.publish([1, 2, 3, 4].map((id) => event(`e${id}`, { tracking: 'T1', leg: 1 })), 1);
    expect(offered(await commit())).toEqual(['e1→r1', 'e2→r2', 'e3→r3', 'e4→r4']);
  });
});
