import type { Worker } from 'node:worker_threads';
import type { Logger } from 'pino';

/** A line for the operator, as another thread tells it. */
export interface ToldLog {
  readonly level: 'info' | 'warn' | 'error';
  readonly message: string;
  readonly fields: object;
}

/** Writes what a thread has to say. */
export const logTold = (worker: Worker, logger: Logger): void => {
  worker.on('message', (batch: readonly { readonly log?: ToldLog }[]) => {
    for (const { log } of batch) if (log) logger[log.level](log.fields, log.message);
  });
};
