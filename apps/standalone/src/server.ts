import { mkdirSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { SystemClock } from '@perdure/clock';
import { LIMITS } from '@perdure/contract';
import { createHttpApp } from '@perdure/http';
import { ApiKeyAuthenticator, SoleTenantAuthenticator } from '@perdure/ingestion-feature';
import { ApiKeys } from '@perdure/ingestion';
import type { TaskDesk } from '@perdure/scheduler';
import { FolderLock, MetaFile, openReader } from '@perdure/sqlite';
import type { Logger } from 'pino';
import { BODY_LIMITS, newSecret, ShardDesk } from './adapters.js';
import { AppModule } from './app-module.js';
import type { Config } from './config.js';
import { Readiness } from './operations-controller.js';
import { startShard } from './shard-host.js';

export interface Server {
  readonly url: string;
  /** Where a worker in this process comes for work. */
  readonly desk: TaskDesk;
  /** Answers what is in flight, hands out no more tasks, closes the files. */
  close(): Promise<void>;
}

/** Opens the data folder, starts the shard and serves. @throws PerdureError when the folder is taken or too new */
export const startServer = async (config: Config, { logger, onFatal }: { readonly logger: Logger; readonly onFatal: (reason: string) => void }): Promise<Server> => {
  const folder = resolve(config.data);
  mkdirSync(folder, { recursive: true });
  const lock = new FolderLock(join(folder, 'lock.db'), folder);
  const metaPath = join(folder, 'meta.db');
  const shardPath = join(folder, 'shard-0.db');
  const meta = new MetaFile(metaPath);
  const snapshotKey = meta.secret('snapshot-key', newSecret);
  const shard = await startShard({ metaPath, shardPath, shard: 0, snapshotKey, retentionMs: config.retentionMs }, { logger, onFatal });
  const committed = openReader(shardPath);
  const readiness = new Readiness();
  const authenticator = config.apiKeys.length > 0 ? new ApiKeyAuthenticator(new ApiKeys(config.apiKeys)) : new SoleTenantAuthenticator(config.tenant);
  const { nest } = await createHttpApp(AppModule.register({ config, clock: new SystemClock(), shard, meta, committed, readiness }), {
    authenticator,
    bodyBytesMax: LIMITS.payloadBytesMax,
    bodyBytesMaxByPrefix: BODY_LIMITS,
    onInternal: (error, request) => logger.error({ err: error.cause ?? error, method: request.method, url: request.url }, 'a request failed'),
  });
  await nest.listen(config.port, config.host);
  return {
    url: await nest.getUrl(),
    desk: new ShardDesk(shard),
    close: async () => {
      readiness.draining = true;
      await shard.drain();
      await nest.close();
      await shard.close();
      committed.close();
      meta.close();
      lock.release();
    },
  };
};
