import type { Clock } from '@perdure/clock';
import type { BundleSource, ProcessorLimits, StackMapper } from '@perdure/history';
import type { SpanReport } from '@perdure/hosting';
import type { Sandbox } from '@perdure/sandbox';
import type { ShardFile } from '@perdure/sqlite';
import type { BatchNote } from './batch-note.js';
import type { PortBus } from './peers/port-bus.js';
import type { ShardMap } from './shard-map.js';
import type { Turns } from './turns.js';

export interface EmbeddedShardOptions {
  readonly file: ShardFile;
  readonly bundles: BundleSource;
  readonly sandbox: Sandbox;
  readonly clock: Clock;
  readonly random: () => number;
  readonly snapshotKey: Uint8Array;
  readonly stacks?: StackMapper;
  readonly limits?: Partial<ProcessorLimits>;
  /** The other shards of the data folder; absent: there is none. */
  readonly peers?: { readonly map: ShardMap; readonly bus: PortBus };
  /** Closed runs are removed after so long. */
  readonly retentionMs?: number;
  /** Default `LIMITS.eventsBufferedMax`. */
  readonly eventsBufferedMax?: number;
  /** Default: a file beside the shard's. */
  readonly note?: BatchNote;
  /** Suspects of all shards of the process are tried one at a time by it. Absent: there is one shard. */
  readonly turns?: Turns;
  /** Takes the spans of traced runs, a commit at a time. Absent: traces are off. */
  readonly onSpans?: (report: SpanReport) => void;
  /** Memory is not as the file says, and only opening the file anew tells: the shard does no more. Default: an uncaught error, which ends the thread. */
  readonly onFatal?: (error: Error) => void;
  /** A line for the operator. */
  readonly log?: (level: 'info' | 'warn' | 'error', message: string, fields: Readonly<Record<string, unknown>>) => void;
}
