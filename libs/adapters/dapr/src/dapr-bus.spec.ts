import { describe, expect, it } from '@jest/globals';
import { ManualClock } from '@perdure/clock';
import { PerdureError } from '@perdure/contract';
import type { Confirmation, Envelope, MessageBody } from '@perdure/delivery';
import { DaprAnswer } from './dapr-answer.js';
import { DaprBus, type DaprBusOptions } from './dapr-bus.js';
import { parseDeliveries, type DeliveryBatch } from './delivery-batch.js';

const run = { tenant: 't', workflowId: 'w', runId: 'r' };
const bodies: Record<string, MessageBody> = {
  scheduler: { to: 'scheduler', kind: 'dropRun', run },
  correlation: { to: 'correlation', kind: 'closeWait', run, seq: 1, wait: { type: 'a', match: {} } },
};
const envelope = (destination: Envelope['destination'], isDetour?: boolean): Envelope => ({ source: 'history/0', destination, mark: 1, messages: [{ number: 1, body: bodies[destination.split('/')[0]!]! }], ...(isDetour ? { isDetour } : {}) });
const confirmation = (source: Confirmation['source']): Confirmation => ({ source, destination: 'scheduler/1', numbers: [1, 2] });

/** A sidecar that writes down what it is asked, as the receiver would read it. */
class RecordingSidecar {
  readonly called: { to: string; batch: DeliveryBatch }[] = [];
  readonly published: { topic: string; keys: (string | undefined)[]; batches: DeliveryBatch[] }[] = [];
  failure: Error | undefined;
  status = 200;

  async invoke({ appId, method }: { appId: string; method: string }, body?: unknown): Promise<DaprAnswer> {
    this.called.push({ to: `${appId} ${method}`, batch: parseDeliveries(JSON.parse(String(body))) });
    if (this.failure) throw this.failure;
    return new DaprAnswer({ status: this.status, headers: {}, body: Buffer.from('why') });
  }

  async publishBulk({ pubsub, topic }: { pubsub: string; topic: string }, events: readonly { event: unknown; partitionKey?: string }[]): Promise<void> {
    this.published.push({ topic: `${pubsub} ${topic}`, keys: events.map(({ partitionKey }) => partitionKey), batches: events.map(({ event }) => parseDeliveries(JSON.parse(String(event)))) });
  }
}

const open = (options: Partial<DaprBusOptions> = {}): { bus: DaprBus; sidecar: RecordingSidecar; heard: string[] } => {
  const sidecar = new RecordingSidecar();
  const heard: string[] = [];
  const events = { notDelivered: (...[service, way, { code }]: [string, string, PerdureError]) => void heard.push(`${service} ${way} ${code}`), dropped: (service: string, way: string) => void heard.push(`${service} ${way} dropped`) };
  return { bus: new DaprBus({ sidecar, events, clock: new ManualClock(), ...options }), sidecar, heard };
};

describe('DaprBus', () => {
  it('sends all that is said in a turn in one call per service, a confirmation to the service that waits for it', async () => {
    const { bus, sidecar } = open();
    bus.send(envelope('scheduler/0'));
    bus.confirm(confirmation('scheduler/4'));
    bus.send(envelope('scheduler/1'));
    bus.send(envelope('correlation/0'));
    bus.confirm(confirmation('history/7'));
    await bus.close();
    expect(sidecar.called).toEqual([
      { to: 'history internal/deliveries', batch: { envelopes: [], confirmations: [confirmation('history/7')] } },
      { to: 'scheduler internal/deliveries', batch: { envelopes: [envelope('scheduler/0'), envelope('scheduler/1')], confirmations: [confirmation('scheduler/4')] } },
      { to: 'correlation internal/deliveries', batch: { envelopes: [envelope('correlation/0')], confirmations: [] } },
    ]);
    expect(sidecar.published).toEqual([]);
  });

  it('sends again by pub/sub, keyed by the slice', async () => {
    const { bus, sidecar } = open();
    bus.send(envelope('scheduler/0', true));
    bus.send(envelope('scheduler/1', true));
    await bus.close();
    expect(sidecar.called).toEqual([]);
    expect(sidecar.published).toEqual([{ topic: 'pubsub perdure.deliveries.scheduler', keys: ['scheduler/0', 'scheduler/1'], batches: [{ envelopes: [envelope('scheduler/0')], confirmations: [] }, { envelopes: [envelope('scheduler/1')], confirmations: [] }] }]);
  });

  it.each([['throws', new PerdureError('unavailable', 'cut'), 200, 'scheduler direct unavailable'], ['is refused', undefined, 503, 'scheduler direct unavailable'], ['cannot be read', undefined, 400, 'scheduler direct invalid-request']])('publishes the confirmations of a call that %s, and not its envelopes', async (_what, failure, status, said) => {
    const { bus, sidecar, heard } = open();
    Object.assign(sidecar, { failure, status });
    bus.send(envelope('scheduler/0'));
    bus.confirm(confirmation('scheduler/4'));
    await bus.close();
    expect(heard).toEqual([said]);
    expect(sidecar.published.map(({ keys, batches }) => [keys, batches])).toEqual([[['scheduler/4'], [{ envelopes: [], confirmations: [confirmation('scheduler/4')] }]]]);
  });

  it('has each way alone', async () => {
    const published = open({ direct: false });
    published.bus.send(envelope('scheduler/0'));
    published.bus.confirm(confirmation('history/7'));
    await published.bus.close();
    expect([published.sidecar.called.length, published.sidecar.published.map(({ topic }) => topic)]).toEqual([0, ['pubsub perdure.deliveries.history', 'pubsub perdure.deliveries.scheduler']]);

    const direct = open({ pubsub: false });
    direct.sidecar.failure = new PerdureError('unavailable', 'cut');
    direct.bus.send(envelope('scheduler/0', true));
    direct.bus.confirm(confirmation('history/7'));
    await direct.bus.close();
    expect([direct.sidecar.called.length, direct.sidecar.published.length, direct.heard]).toEqual([2, 0, ['history direct unavailable', 'scheduler direct unavailable']]);
    expect(() => new DaprBus({ sidecar: direct.sidecar, clock: new ManualClock(), direct: false, pubsub: false })).toThrow('carries nothing');
  });

  it('cuts an envelope that is large, and keeps an event from the broker that it would not take', async () => {
    const { bus, sidecar } = open({ limits: { envelopeBytesMax: 150, eventBytesMax: 200 } });
    const large: MessageBody = { ...bodies['scheduler']!, run: { ...run, workflowId: 'é'.repeat(200) } } as MessageBody;
    bus.send({ ...envelope('scheduler/0', true), messages: [{ number: 1, body: bodies['scheduler']! }, { number: 2, body: large }, { number: 3, body: bodies['scheduler']! }] });
    await bus.close();
    const numbers = (batches: readonly DeliveryBatch[]): number[][] => batches.flatMap(({ envelopes }) => envelopes.map(({ messages }) => messages.map(({ number }) => number)));
    expect([numbers(sidecar.called.map(({ batch }) => batch)), numbers(sidecar.published.flatMap(({ batches }) => batches))]).toEqual([[[2]], [[1], [3]]]);
  });

  it('never throws: what is too much, or comes after its end, is dropped', async () => {
    const { bus, sidecar, heard } = open({ limits: { waitingMailsMax: 1 } });
    bus.send(envelope('scheduler/0'));
    bus.send(envelope('scheduler/1'));
    expect(heard).toEqual(['scheduler direct dropped']);
    await bus.close();
    bus.send(envelope('scheduler/2'));
    await bus.close();
    expect(sidecar.called).toHaveLength(1);
  });
});
