import { once } from 'node:events';
import { Worker } from 'node:worker_threads';
import { ThreadGateway } from '@perdure/embedded';
import type { Logger } from 'pino';
import type { ShardThreadData } from './shard-thread.js';

interface LogMessage {
  readonly log?: { readonly level: 'info' | 'warn' | 'error'; readonly message: string; readonly fields: object };
}

/** Starts a shard in a thread of its own and waits until it has opened its file. */
export const startShard = async (data: ShardThreadData, { logger, onFatal }: { readonly logger: Logger; readonly onFatal: (reason: string) => void }): Promise<ThreadGateway> => {
  const worker = new Worker(new URL('./shard-thread.js', import.meta.url), { workerData: data });
  worker.on('message', (batch: LogMessage[]) => {
    for (const { log } of batch) if (log) logger[log.level](log.fields, log.message);
  });
  // Its first message says that the file is open; failing to open it is an `error`, which rejects.
  await once(worker, 'message');
  return new ThreadGateway(worker, onFatal);
};
