import { parentPort, workerData, type MessagePort } from 'node:worker_threads';
import { SystemClock } from '@perdure/clock';
import { BundleStacks, EmbeddedShard, PortBus, serveShard, ShardMap, ThreadTurns } from '@perdure/embedded';
import { Sandbox } from '@perdure/sandbox';
import { CheckpointSignal, MetaFile, ShardFile, SqliteBundleSource } from '@perdure/sqlite';
import { folderIdOf } from './data-folder.js';

/** What the main thread tells a shard's thread. */
export interface ShardThreadData {
  readonly metaPath: string;
  readonly shardPath: string;
  readonly shard: number;
  /** Of the shard's `CheckpointSignal`. */
  readonly checkpoints: SharedArrayBuffer;
  /** Of the `ThreadTurns` of all shards. */
  readonly turns: SharedArrayBuffer;
  readonly snapshotKey: Uint8Array;
  readonly retentionMs: number;
  /** Whether it reports the spans of traced runs. */
  readonly traces: boolean;
  /** How many shards the data folder has. */
  readonly shards: number;
  /** To each of the others. */
  readonly peers: readonly { readonly shard: number; readonly port: MessagePort }[];
}

const { metaPath, shardPath, shard, checkpoints, turns, snapshotKey, retentionMs, traces, shards, peers } = workerData as ShardThreadData;
const port = parentPort!;
const meta = new MetaFile(metaPath);
const bus = new PortBus(new Map(peers.map((peer) => [peer.shard, peer.port])));
const opened = await EmbeddedShard.open({
  file: new ShardFile({ path: shardPath, shard, folderId: folderIdOf(snapshotKey), checkpoints: new CheckpointSignal(checkpoints) }),
  bundles: new SqliteBundleSource(meta),
  stacks: new BundleStacks(meta),
  sandbox: await Sandbox.create({ snapshotKey }),
  clock: new SystemClock(),
  random: Math.random,
  snapshotKey,
  retentionMs,
  ...(shards > 1 ? { peers: { map: new ShardMap(shards), bus }, turns: new ThreadTurns(turns) } : {}),
  // Posted at once, so that a request's span is known before its answer.
  ...(traces ? { onSpans: (spans) => port.postMessage([{ spans }]) } : {}),
  log: (level, message, fields) => port.postMessage([{ log: { level, message, fields } }]),
});
port.postMessage([{ ready: true }]);
await serveShard(port, opened);
bus.close();
meta.close();
process.exit(0);
