import type { Clock } from '@perdure/clock';
import type { ExternalEvent, Input } from '@perdure/contract';
import type { LogEntry, Logs, SliceMap, SliceName } from '@perdure/delivery';
import { EventLog, Log, type Appended, type EventReceipt } from '@perdure/ingestion';

/** Each slice's entries in one append; entries of one slice keep their order (I2). */
const appendBySlice = async (logs: Logs, entries: readonly { readonly slice: SliceName; readonly entry: LogEntry }[]): Promise<void> => {
  const bySlice = new Map<SliceName, LogEntry[]>();
  for (const { slice, entry } of entries) {
    const its = bySlice.get(slice);
    if (its) its.push(entry);
    else bySlice.set(slice, [entry]);
  }
  await Promise.all([...bySlice].map(([slice, its]) => logs.of(slice).append(its)));
};

/** The shards' logs: what is appended is durable, and history decides later. */
export class MeshLog extends Log {
  readonly #logs: Logs;
  readonly #map: Pick<SliceMap, 'shardOf'>;

  constructor(logs: Logs, map: Pick<SliceMap, 'shardOf'>) {
    super();
    this.#logs = logs;
    this.#map = map;
  }

  override async append(inputs: readonly Input[]): Promise<readonly Appended[]> {
    await appendBySlice(this.#logs, inputs.map((input) => ({ slice: this.#map.shardOf(input.tenant, input.workflowId), entry: { body: { kind: 'input', input } } })));
    return inputs.map(() => ({ kind: 'durable' }));
  }
}

export interface MeshEventLogOptions {
  readonly logs: Logs;
  readonly map: Pick<SliceMap, 'sliceOfEvent'>;
  readonly clock: Clock;
  /** Whether its slice has committed the event before. */
  readonly isKnown: (event: ExternalEvent) => Promise<boolean>;
}

/** The logs of correlation's slices. What a slice has had is not appended again; a repeat that comes before its first is committed, the slice drops. */
export class MeshEventLog extends EventLog {
  readonly #options: MeshEventLogOptions;

  constructor(options: MeshEventLogOptions) {
    super();
    this.#options = options;
  }

  override async append(events: readonly ExternalEvent[]): Promise<readonly EventReceipt[]> {
    const { logs, map, clock, isKnown } = this.#options;
    const known = await Promise.all(events.map(isKnown));
    const at = clock.now();
    const fresh = events.filter((_, index) => !known[index]);
    await appendBySlice(logs, fresh.map((event) => ({ slice: map.sliceOfEvent(event), entry: { body: { kind: 'event', event, at } } })));
    return known.map((isRepeat) => (isRepeat ? 'duplicate' : 'accepted'));
  }
}
