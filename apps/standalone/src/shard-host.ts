import { once } from 'node:events';
import { Worker } from 'node:worker_threads';
import { ThreadGateway } from '@perdure/embedded';
import type { SpanReport } from '@perdure/hosting';
import { HOST_STACK_MB } from '@perdure/sandbox';
import type { Logger } from 'pino';
import type { ShardThreadData } from './shard-thread.js';
import { logTold } from './told-log.js';

interface ToldSpans {
  readonly spans?: SpanReport;
}

export interface ShardHostOptions {
  readonly logger: Logger;
  readonly onFatal: (reason: string) => void;
  readonly onSpans: (spans: SpanReport) => void;
}

/** Starts a shard in a thread of its own and waits until it has opened its file. */
export const startShard = async (data: ShardThreadData, { logger, onFatal, onSpans }: ShardHostOptions): Promise<ThreadGateway> => {
  const worker = new Worker(new URL('./shard-thread.js', import.meta.url), { workerData: data, transferList: data.peers.map((peer) => peer.port), resourceLimits: { stackSizeMb: HOST_STACK_MB } });
  logTold(worker, logger);
  worker.on('message', (batch: readonly ToldSpans[]) => {
    for (const { spans } of batch) if (spans) onSpans(spans);
  });
  // Its first message says that the file is open; failing to open it is an `error`, which rejects.
  await once(worker, 'message');
  return new ThreadGateway(worker, onFatal);
};
