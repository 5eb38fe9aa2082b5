import { describe, expect, it } from '@jest/globals';
import type { CorrelationEffect, ExternalEvent, Input, RunKey, Scalar } from '@perdure/contract';
import fc from 'fast-check';
import { Correlator } from './correlator.js';
import { MemoryCorrelationStore } from './testing/memory-correlation-store.js';

type Offer = Extract<Input, { kind: 'eventOffered' }>;
type Match = Readonly<Record<string, Scalar>>;

const runOf = (id: string): RunKey => ({ tenant: 'acme', workflowId: `wf-${id}`, runId: id });

/** A run as history sees it: its own log decides whether an offer is taken, and a repeated offer is answered as the first was. */
interface Run {
  readonly id: string;
  readonly match: Match;
  readonly sinceMs: number | undefined;
  readonly filter: string | undefined;
  isOpen: boolean;
  took?: string;
}

const MATCHES: readonly Match[] = [{ k: 'a' }, { k: 'b' }, { n: 7 }, { n: '7' }, { k: 'a', n: 7 }, {}];
const KEYS: readonly Match[] = [{ k: 'a' }, { k: 'b' }, { k: 'a', n: 7 }, { n: '7' }, { n: 7 }];

const step = fc.oneof(
  { weight: 4, arbitrary: fc.record({ do: fc.constant('publish' as const), id: fc.nat(25), keys: fc.constantFrom(...KEYS), big: fc.boolean() }) },
  { weight: 4, arbitrary: fc.record({ do: fc.constant('open' as const), run: fc.nat(15), match: fc.constantFrom(...MATCHES), since: fc.boolean(), filtered: fc.boolean() }) },
  { weight: 2, arbitrary: fc.record({ do: fc.constant('close' as const), run: fc.nat(15), early: fc.boolean() }) },
  { weight: 5, arbitrary: fc.record({ do: fc.constant('settle' as const), which: fc.nat(5) }) },
  { weight: 2, arbitrary: fc.record({ do: fc.constant('settleAgain' as const), which: fc.nat(9) }) },
  { weight: 1, arbitrary: fc.record({ do: fc.constant('restart' as const) }) },
  { weight: 1, arbitrary: fc.record({ do: fc.constant('failedBatch' as const) }) },
);
type Step = typeof step extends fc.Arbitrary<infer S> ? S : never;

const fits = (run: Run, event: ExternalEvent, arrivedAt: number): boolean =>
  Object.entries(run.match).every(([name, value]) => event.keys[name] === value) && (run.sinceMs === undefined || arrivedAt >= run.sinceMs) && (run.filter === undefined || (event.data as { big: boolean }).big);

class World {
  readonly store = new MemoryCorrelationStore();
  readonly runs = new Map<string, Run>();
  /** Closes that overtook their open. */
  readonly closedEarly = new Set<string>();
  readonly accepted = new Map<string, { readonly event: ExternalEvent; readonly arrivedAt: number }>();
  readonly offers: Offer[] = [];
  readonly settled: { readonly offer: Offer; readonly taken: boolean }[] = [];
  correlator!: Correlator;
  now = 0;

  async open(): Promise<void> {
    this.correlator = await Correlator.open({ store: this.store });
  }

  async commit(): Promise<void> {
    await this.store.commit(this.correlator.takeChanges());
    this.offers.push(...(this.correlator.takeInputs() as Offer[]));
    this.correlator.committed();
  }

  async take(each: Step): Promise<void> {
    this.now += 1;
    if (each.do === 'publish') return this.publish(each);
    if (each.do === 'open') return this.openWait(each);
    if (each.do === 'close') return this.close(each);
    if (each.do === 'settle') return this.settle(each.which);
    if (each.do === 'settleAgain') return this.settleAgain(each.which);
    if (each.do === 'restart') return this.correlator.reset();
    await this.correlator.receive(this.offers.slice(0, 1).map((offer) => settleOf(offer, false)));
    await this.correlator.publish([{ tenant: 'acme', source: '/s', id: 'gone', type: 't', time: 0, keys: { k: 'a' } }], this.now);
    await this.correlator.reset();
  }

  async publish({ id, keys, big }: Extract<Step, { do: 'publish' }>): Promise<void> {
    const event: ExternalEvent = { tenant: 'acme', source: '/s', id: `e${id}`, type: 't', time: 0, keys, data: { big } };
    expect(await this.correlator.publish([event], this.now)).toEqual([this.accepted.has(event.id) ? 'duplicate' : 'accepted']);
    if (!this.accepted.has(event.id)) this.accepted.set(event.id, { event, arrivedAt: this.now });
  }

  async openWait({ run, match, since, filtered }: Extract<Step, { do: 'open' }>): Promise<void> {
    const id = `r${run}`;
    if (this.runs.has(id)) return;
    const sinceMs = since ? this.now - 3 : undefined;
    const filter = filtered ? 'big' : undefined;
    this.runs.set(id, { id, match, sinceMs, filter, isOpen: !this.closedEarly.has(id) });
    const effect: CorrelationEffect = { to: 'correlation', kind: 'openWait', run: runOf(id), seq: 1, chain: id, at: this.now, wait: { type: 't', match, sinceMs, filter } };
    await this.correlator.receive([effect]);
  }

  async close({ run, early }: Extract<Step, { do: 'close' }>): Promise<void> {
    const id = `r${run}`;
    const known = this.runs.get(id);
    if (!known && !early) return;
    if (known) {
      if (!known.isOpen) return;
      known.isOpen = false;
    } else if (this.closedEarly.has(id)) return;
    else this.closedEarly.add(id);
    await this.correlator.receive([{ to: 'correlation', kind: 'closeWait', run: runOf(id), seq: 1, wait: { type: 't', match: known?.match ?? {} } }]);
  }

  async settle(which: number): Promise<void> {
    if (this.offers.length === 0) return;
    const [offer] = this.offers.splice(which % this.offers.length, 1);
    const run = this.runs.get(offer!.runId!)!;
    const taken = run.isOpen;
    if (taken) {
      run.isOpen = false;
      run.took = offer!.event.id;
    }
    this.settled.push({ offer: offer!, taken });
    await this.correlator.receive([settleOf(offer!, taken)]);
  }

  /** The offer reached history twice: it is answered twice, alike. */
  async settleAgain(which: number): Promise<void> {
    if (this.settled.length === 0) return;
    const { offer, taken } = this.settled[which % this.settled.length]!;
    await this.correlator.receive([settleOf(offer, taken)]);
  }

  check(): void {
    const runs = [...this.runs.values()];
    const taken = runs.flatMap(({ took }) => took ?? []);
    expect(new Set(taken).size).toBe(taken.length);
    const out = new Set(this.offers.map(({ event }) => event.id));
    expect(out.size).toBe(this.offers.length);
    for (const offer of this.offers) {
      const { event, arrivedAt } = this.accepted.get(offer.event.id)!;
      expect(fits(this.runs.get(offer.runId!)!, event, arrivedAt)).toBe(true);
      expect(taken).not.toContain(event.id);
      expect(this.closedEarly).not.toContain(offer.runId);
    }
    const asked = this.offers.map(({ runId }) => runId);
    expect(new Set(asked).size).toBe(asked.length);
    const idle = runs.filter(({ id, isOpen }) => isOpen && !asked.includes(id));
    const free = [...this.accepted.values()].filter(({ event }) => !out.has(event.id) && !taken.includes(event.id));
    expect(idle.flatMap((run) => free.filter(({ event, arrivedAt }) => fits(run, event, arrivedAt)).map(({ event }) => `${event.id}→${run.id}`))).toEqual([]);
  }
}

const settleOf = (offer: Offer, taken: boolean): CorrelationEffect => ({ to: 'correlation', kind: 'settleOffer', run: { tenant: offer.tenant, workflowId: offer.workflowId, runId: offer.runId! }, seq: offer.seq, offerId: offer.offerId, taken, event: offer.event });

describe('Correlator, whatever comes in whatever order', () => {
  it('spends each event once, asks one run at a time, and leaves no event behind that an idle wait wants', async () => {
    await fc.assert(
      fc.asyncProperty(fc.array(step, { maxLength: 120, size: 'max' }), async (steps) => {
        const world = new World();
        await world.open();
        for (const each of steps) {
          await world.take(each);
          await world.commit();
          world.check();
        }
      }),
      { numRuns: 300 },
    );
  });

  it('is the same after a restart at any point as without one', async () => {
    await fc.assert(
      fc.asyncProperty(fc.array(step, { maxLength: 80, size: 'max' }), async (steps) => {
        const [steady, restarted] = [new World(), new World()];
        await steady.open();
        await restarted.open();
        for (const each of steps) {
          await steady.take(each);
          await steady.commit();
          await restarted.take(each);
          await restarted.commit();
          await restarted.correlator.reset();
          expect(restarted.offers.map(({ id }) => id)).toEqual(steady.offers.map(({ id }) => id));
        }
      }),
      { numRuns: 150 },
    );
  });
});
