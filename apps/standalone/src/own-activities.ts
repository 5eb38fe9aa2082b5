import { resolve } from 'node:path';
import { pathToFileURL } from 'node:url';
import { PerdureError } from '@perdure/contract';
import type { TaskDesk } from '@perdure/scheduler';
import { InProcessWorker, type WorkerLog } from '@perdure/sdk/node';

export interface OwnActivitiesOptions {
  readonly desk: TaskDesk;
  readonly tenant: string;
  readonly log: WorkerLog;
}

/** Runs a module's functions as activities in the server's own process: no worker to start, no HTTP between them; what crashes one crashes the server. */
export const startActivities = async (path: string, { desk, tenant, log }: OwnActivitiesOptions): Promise<InProcessWorker> => {
  const url = pathToFileURL(resolve(path));
  const module = await import(url.href).catch((error: unknown) => {
    throw new PerdureError('invalid-request', `PERDURE_ACTIVITIES=${path} does not load: ${(error as Error).message}`);
  });
  const worker = new InProcessWorker({ desk, tenant, activities: module as Record<string, unknown>, log });
  void worker.run().catch((error: unknown) => log(`the server's own activities ended: ${(error as Error).message}`));
  return worker;
};
