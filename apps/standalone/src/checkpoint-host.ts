import { once } from 'node:events';
import { Worker } from 'node:worker_threads';
import type { Logger } from 'pino';
import type { CheckpointThreadData } from './checkpoint-thread.js';
import { logTold } from './told-log.js';

export interface Checkpoints {
  close(): Promise<void>;
}

/** Starts the thread that checkpoints the shards' files, which must be open. Without it they are checkpointed all the same, in commits that take long. */
export const startCheckpoints = (data: CheckpointThreadData, { logger }: { readonly logger: Logger }): Checkpoints => {
  const worker = new Worker(new URL('./checkpoint-thread.js', import.meta.url), { workerData: data });
  logTold(worker, logger);
  worker.on('error', (error) => logger.warn({ err: error }, 'the thread for checkpoints has ended: commits make them from now on'));
  const exited = once(worker, 'exit').catch(() => undefined);
  return {
    close: async () => {
      worker.postMessage('close');
      await exited;
    },
  };
};
