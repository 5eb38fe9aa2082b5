import { existsSync } from 'node:fs';
import { MessageChannel, type MessagePort } from 'node:worker_threads';
import { PerdureError } from '@perdure/contract';
import { ShardedGateway, ThreadTurns, type ShardGateway, type ShardMap } from '@perdure/embedded';
import { CheckpointSignal, type MetaFile } from '@perdure/sqlite';
import { startCheckpoints, type Checkpoints } from './checkpoint-host.js';
import { shardPath } from './data-folder.js';
import { startShard, type ShardHostOptions } from './shard-host.js';
import type { ShardThreadData } from './shard-thread.js';

/** One thread serves a laptop best: more of them make smaller batches, and so more commits. */
const SHARDS_DEFAULT = 1;

/**
 * How many shards a data folder has: decided when it is made, since a run stays in the file where it began.
 * @throws PerdureError when another number is asked for
 */
export const shardCount = (meta: MetaFile, { folder, wanted }: { readonly folder: string; readonly wanted?: number | undefined }): number => {
  const make = (): number => (existsSync(shardPath(folder, 0)) ? 1 : (wanted ?? SHARDS_DEFAULT));
  const count = Number(meta.property('shards', () => String(make())));
  if (wanted !== undefined && wanted !== count) throw new PerdureError('invalid-request', `PERDURE_SHARDS=${wanted}: ${folder} was made with ${count}, and runs cannot move between shards yet. Leave it out, or use another folder.`);
  return count;
};

export interface ShardsOptions extends ShardHostOptions {
  readonly folder: string;
  readonly map: ShardMap;
  readonly data: Omit<ShardThreadData, 'shard' | 'shardPath' | 'checkpoints' | 'turns' | 'shards' | 'peers'>;
}

export interface StartedShards {
  readonly gateway: ShardGateway;
  readonly checkpoints: Checkpoints;
}

/** Starts all shards, each in a thread of its own, and one thread for their checkpoints. When a shard does not open, those that did are closed again. */
export const startShards = async ({ folder, map, data, ...host }: ShardsOptions): Promise<StartedShards> => {
  const turns = ThreadTurns.createMemory();
  const files = connectAll(map.count).map((peers, shard) => ({ shard, peers, shardPath: shardPath(folder, shard), checkpoints: new CheckpointSignal().memory }));
  const started = await Promise.allSettled(files.map((its) => startShard({ ...data, ...its, turns, shards: map.count }, host)));
  const shards = started.flatMap((each) => (each.status === 'fulfilled' ? [each.value] : []));
  const failed = started.find((each) => each.status === 'rejected');
  if (failed) {
    await Promise.all(shards.map((shard) => shard.close()));
    throw failed.reason;
  }
  return {
    gateway: shards.length === 1 ? shards[0]! : new ShardedGateway({ shards, map }),
    checkpoints: startCheckpoints({ shards: files.map((its) => ({ path: its.shardPath, signal: its.checkpoints })) }, host),
  };
};

/** A channel between any two shards; gives each shard its ends. */
const connectAll = (count: number): { readonly shard: number; readonly port: MessagePort }[][] => {
  const ends: { shard: number; port: MessagePort }[][] = Array.from({ length: count }, () => []);
  for (let a = 0; a < count; a++) {
    for (let b = a + 1; b < count; b++) {
      const { port1, port2 } = new MessageChannel();
      ends[a]!.push({ shard: b, port: port1 });
      ends[b]!.push({ shard: a, port: port2 });
    }
  }
  return ends;
};
