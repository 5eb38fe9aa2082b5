import { parentPort, workerData } from 'node:worker_threads';
import { SystemClock } from '@perdure/clock';
import { BundleStacks, EmbeddedShard, serveShard } from '@perdure/embedded';
import { Sandbox } from '@perdure/sandbox';
import { MetaFile, ShardFile, SqliteBundleSource } from '@perdure/sqlite';

/** What the main thread tells a shard's thread. */
export interface ShardThreadData {
  readonly metaPath: string;
  readonly shardPath: string;
  readonly shard: number;
  readonly snapshotKey: Uint8Array;
  readonly retentionMs: number;
  /** Whether it reports the spans of traced runs. */
  readonly traces: boolean;
}

const { metaPath, shardPath, shard, snapshotKey, retentionMs, traces } = workerData as ShardThreadData;
const port = parentPort!;
const meta = new MetaFile(metaPath);
const opened = await EmbeddedShard.open({
  file: new ShardFile({ path: shardPath, shard }),
  bundles: new SqliteBundleSource(meta),
  stacks: new BundleStacks(meta),
  sandbox: await Sandbox.create({ snapshotKey }),
  clock: new SystemClock(),
  random: Math.random,
  snapshotKey,
  retentionMs,
  // Posted at once, so that a request's span is known before its answer.
  ...(traces ? { onSpans: (spans) => port.postMessage([{ spans }]) } : {}),
  log: (level, message, fields) => port.postMessage([{ log: { level, message, fields } }]),
});
port.postMessage([{ ready: true }]);
await serveShard(port, opened);
meta.close();
process.exit(0);
