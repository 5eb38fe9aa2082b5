import type { ExternalEvent, Input, InputOutcome, Json } from '@perdure/contract';
import { BundleRegistry, EventLog, Events, EventTranslator, Log, Outcomes, Queries, RunReader, Workflows, type Appended, type CloudEvent, type EventReceipt, type InputRef, type RunRef } from '@perdure/ingestion';
import type { HistorySlice } from '@perdure/history';
import type { Cluster } from './cluster.js';
import { SimLogs } from './ports.js';
import type { SimProcess } from './sim-process.js';
import { BUNDLE } from './sim-realms.js';

const notHere = (): never => {
  throw new Error('not in the simulated world');
};

const POLL_MS = 150;

/** One instance of ingestion, over the cluster. */
export class Gateway {
  readonly process: SimProcess;
  readonly workflows: Workflows;
  readonly events: Events;

  constructor(process: SimProcess, cluster: Cluster) {
    this.process = process;
    const logs = new SimLogs(process, cluster.disk);
    const { map, disk, eventTypes } = cluster;
    const now = (): number => process.clock.now();

    const log = new (class extends Log {
      override async append(inputs: readonly Input[]): Promise<readonly Appended[]> {
        for (const input of inputs) await logs.of(map.shardOf(input.tenant, input.workflowId)).append([{ body: { kind: 'input', input } }]);
        return inputs.map(() => ({ kind: 'durable' }));
      }
    })();
    const outcomes = new (class extends Outcomes {
      override async find({ tenant, workflowId, inputId }: InputRef): Promise<InputOutcome | undefined> {
        await process.gate(process.faults.readFailsP);
        return (await disk.history.get(map.shardOf(tenant, workflowId))!.findInput({ tenant, workflowId, inputId }))?.outcome;
      }
      override async await(ref: InputRef, { untilMs, done }: { readonly untilMs: number; readonly done: (outcome: InputOutcome) => boolean }): Promise<InputOutcome | undefined> {
        for (;;) {
          const outcome = await this.find(ref);
          if ((outcome && done(outcome)) || now() >= untilMs) return outcome;
          await process.sleep(POLL_MS);
        }
      }
    })();
    const queries = new (class extends Queries {
      override query(ref: RunRef, query: { readonly name: string; readonly input?: Json }): Promise<{ readonly value?: Json }> {
        return cluster.ask(map.shardOf(ref.tenant, ref.workflowId), (owner) => owner.read((machine) => (machine as unknown as HistorySlice).processor.query(ref, { ...query, at: now() })));
      }
    })();
    const eventLog = new (class extends EventLog {
      override async append(events: readonly ExternalEvent[]): Promise<readonly EventReceipt[]> {
        for (const event of events) await logs.of(map.sliceOfEvent(event)).append([{ body: { kind: 'event', event, at: now() } }]);
        return events.map(() => 'accepted');
      }
    })();
    const translator = new (class extends EventTranslator {
      override fromCloudEvent(tenant: string, { id, source, type, data }: CloudEvent): ExternalEvent {
        return eventTypes.toExternalEvent(tenant, { id, source, type, ...(data === undefined ? {} : { data }) }, now());
      }
      override fromWebhook = notHere;
    })();
    this.workflows = new Workflows({ log, outcomes, queries, runs: new NoReader(), bundles: new OneBundle(), clock: process.clock });
    this.events = new Events(eventLog, translator);
  }
}

class NoReader extends RunReader {
  override find = notHere;
  override list = notHere;
  override history = notHere;
  override result = notHere;
  override whenClosed = notHere;
}

class OneBundle extends BundleRegistry {
  override deploy = notHere;
  override list = notHere;
  override find = notHere;
  override async defaultFor(): Promise<string | undefined> {
    return BUNDLE;
  }
  override retire = notHere;
}
