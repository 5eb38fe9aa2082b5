import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import type { RunKey } from '@perdure/contract';
import type { Bus, Confirmation, Envelope, MessageBody, Service } from '@perdure/delivery';
import { Correspondence } from './correspondence.js';

export interface Deliveries {
  readonly envelopes: readonly Envelope[];
  readonly confirmations: readonly Confirmation[];
}

/** Two services that a bus is between: `history`, which sends, and `scheduler`, which confirms. */
export interface BusWorld {
  readonly buses: { readonly history: Bus; readonly scheduler: Bus };
  close(): Promise<void>;
}

/** `deliver`: what has come to a node of the service. It throws when the node cannot take it now. */
export type MakeBusWorld = (deliver: (service: Service, deliveries: Deliveries) => Promise<void>) => Promise<BusWorld>;

const run: RunKey = { tenant: 't', workflowId: 'w', runId: 'r' };
const body: MessageBody = { to: 'scheduler', kind: 'armTimer', run, seq: 1, dueMs: 5 };
const envelope = (number: number, more: Partial<Envelope> = {}): Envelope => ({ source: 'history/1', destination: 'scheduler/2', mark: number, messages: [{ number, body }], ...more });

/** About a payload that is as large as one may be. */
const LARGE_BYTES = 1_900_000;

/**
 * What a bus must do, and that it need not do more: it may lose, repeat, delay and reorder (I4), so each test but the first sends until
 * it is confirmed, as a slice's owner does.
 */
export const busSuite = (name: string, make: MakeBusWorld, { messageBytesMax = LARGE_BYTES }: { readonly messageBytesMax?: number } = {}): void =>
  describe(name, () => {
    let world: BusWorld;
    let correspondence: Correspondence;

    beforeAll(async () => {
      correspondence = new Correspondence();
      world = await make((service, deliveries) => correspondence.deliver(service, deliveries));
      correspondence.use(world.buses);
    }, 120_000);

    afterAll(async () => {
      correspondence?.close();
      await world?.close();
    });

    it('brings an envelope as it is to the service of its destination, and a confirmation to that of its source', async () => {
      const sent = { ...envelope(1), messages: [{ number: 1, body: { ...body, run: { ...run, workflowId: 'é 𝄞 \u2028 "\\' } } }, { number: 2, body }] };
      const confirmation: Confirmation = { source: 'history/9', destination: 'scheduler/2', numbers: [2, 1] };
      const ofIt = (confirmations: readonly Confirmation[]): Confirmation | undefined => confirmations.find(({ source }) => source === confirmation.source);
      await correspondence.until(() => world.buses.history.send(sent), ({ scheduler }) => scheduler.envelopes.length > 0);
      await correspondence.until(() => world.buses.scheduler.confirm(confirmation), ({ history }) => ofIt(history.confirmations) !== undefined);
      expect(correspondence.seen.scheduler.envelopes[0]).toEqual(sent);
      expect(ofIt(correspondence.seen.history.confirmations)).toEqual(confirmation);
      expect([correspondence.seen.history.envelopes, correspondence.seen.scheduler.confirmations]).toEqual([[], []]);
    });

    it('never throws and keeps nobody waiting', () => {
      expect(world.buses.history.send(envelope(1, { destination: 'compensation/0', messages: [{ number: 1, body: { to: 'compensation', kind: 'undoClosed', run, undoSeq: 1, outcome: { status: 'completed' }, attempts: 1, at: 1 } }] }))).toBeUndefined();
      expect(world.buses.history.confirm({ source: 'correlation/0', destination: 'history/0', numbers: [1] })).toBeUndefined();
    });

    it('brings all of many messages between many slices in the end', async () => {
      await correspondence.run({ sources: 4, destinations: 4, each: 100 });
    }, 90_000);

    it('does so also when a receiver cannot take every tenth delivery', async () => {
      await correspondence.run({ sources: 4, destinations: 4, each: 60, perTick: 1, failEach: 10 });
    }, 90_000);

    it('brings what was sent before, and messages that are large', async () => {
      await correspondence.run({ sources: 1, destinations: 1, each: 3, payloadBytes: messageBytesMax, resendsOnly: true });
    }, 90_000);
  });
