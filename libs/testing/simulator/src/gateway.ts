import type { ExternalEvent, Input, Json } from '@perdure/contract';
import type { HistorySlice } from '@perdure/history';
import { EventLog, Log, Queries, type Appended, type EventReceipt, type RunRef } from '@perdure/ingestion';
import type { Cluster } from './cluster.js';
import type { Door } from './door.js';
import { openDoor, PollingOutcomes } from './ingestion.js';
import { SimLogs } from './ports.js';
import type { SimProcess } from './sim-process.js';

/** One instance of ingestion, over the cluster. */
export function openGateway(process: SimProcess, cluster: Cluster): Door {
  const logs = new SimLogs(process, cluster.disk);
  const { map, disk } = cluster;
  const now = (): number => process.clock.now();
  const log = new (class extends Log {
    override async append(inputs: readonly Input[]): Promise<readonly Appended[]> {
      for (const input of inputs) await logs.of(map.shardOf(input.tenant, input.workflowId)).append([{ body: { kind: 'input', input } }]);
      return inputs.map(() => ({ kind: 'durable' }));
    }
  })();
  const outcomes = new PollingOutcomes(process, async ({ tenant, workflowId, inputId }) => {
    await process.gate(process.faults.readFailsP);
    return disk.history.get(map.shardOf(tenant, workflowId))!.findInput({ tenant, workflowId, inputId });
  });
  const queries = new (class extends Queries {
    override query(ref: RunRef, query: { readonly name: string; readonly input?: Json }): Promise<{ readonly value?: Json }> {
      return cluster.ask(map.shardOf(ref.tenant, ref.workflowId), (owner) => owner.read((machine) => (machine as unknown as HistorySlice).processor.query(ref, { ...query, at: now() })));
    }
  })();
  const events = new (class extends EventLog {
    override async append(list: readonly ExternalEvent[]): Promise<readonly EventReceipt[]> {
      for (const event of list) await logs.of(map.sliceOfEvent(event)).append([{ body: { kind: 'event', event, at: now() } }]);
      return list.map(() => 'accepted');
    }
  })();
  return openDoor(process, cluster.eventTypes, { log, outcomes, queries, events });
}
